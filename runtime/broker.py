"""What the broker is asked, each time by a client of its own; all of it raises `BrokerUnavailable`."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.structs import TopicPartition

from runtime.kafka import asking
from schemas.settings import Settings
from schemas.topics import ALL, COPIES, faults


async def end_offsets(settings: Settings, partitions: Iterable[tuple[str, int]]) -> dict[tuple[str, int], int]:
    """Where the partitions end."""
    async with asking(AIOKafkaConsumer(**settings.kafka_options())) as consumer:
        ends = await consumer.end_offsets([TopicPartition(*partition) for partition in partitions])
    return {(partition.topic, partition.partition): end for partition, end in ends.items()}


async def caught_up(settings: Settings, positions: Mapping[tuple[str, int], int], before: float) -> bool:
    """Whether all records that are older than `before`, a Unix time, lie below these positions."""
    partitions = [TopicPartition(*partition) for partition in positions]
    async with asking(AIOKafkaConsumer(**settings.kafka_options())) as consumer:
        young = await consumer.offsets_for_times(dict.fromkeys(partitions, int(before * 1000)))
        ends = await consumer.end_offsets(partitions)
    # No young one: all are old.
    return all(positions[each.topic, each.partition] >= (young[each].offset if young[each] else ends[each]) for each in partitions)


async def delete_records(settings: Settings, below: Mapping[tuple[str, int], int], before: float) -> int:
    """Let the broker delete the records below these offsets that are older than `before`, a Unix time; how many those were."""
    if not below:
        return 0
    options, limits = settings.kafka_options(), {TopicPartition(*partition): offset for partition, offset in below.items()}
    async with asking(AIOKafkaConsumer(**options)) as consumer, asking(AIOKafkaAdminClient(**options)) as admin:
        starts = await consumer.beginning_offsets(list(limits))
        young = await consumer.offsets_for_times(dict.fromkeys(limits, int(before * 1000)))
        # No young one: all are old.
        ends = {each: min(limit, young[each].offset if young[each] else limit) for each, limit in limits.items()}
        old = {each: RecordsToDelete(end) for each, end in ends.items() if end > starts[each]}
        await admin.delete_records(old)
    return sum(ends[each] - starts[each] for each in old)


@dataclass(frozen=True)
class TopicsFound:
    """What the broker says of the topics: settings that would lose records, and topics with fewer copies than are safe."""

    faults: list[str]
    few_copies: dict[str, int]


async def look_at_topics(settings: Settings) -> TopicsFound:
    """The topics that exist, as they are really set."""
    async with asking(AIOKafkaAdminClient(**settings.kafka_options())) as admin:
        return await topics_of(admin, settings)


async def partitions_of_all(admin: AIOKafkaAdminClient) -> dict[str, list[dict[str, Any]]]:
    """What the broker says of each partition, by topic; all are described, because asking for a topic by its name may create it."""
    return {topic["topic"]: topic["partitions"] for topic in await admin.describe_topics()}


async def topics_of(admin: AIOKafkaAdminClient, settings: Settings) -> TopicsFound:
    described = await partitions_of_all(admin)
    copies = {name: min(len(partition["replicas"]) for partition in partitions) for name, partitions in described.items() if partitions}
    ours = {settings.topic(topic.name): topic for topic in ALL if copies.get(settings.topic(topic.name))}
    answers = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, name) for name in ours]) if ours else []
    found = {name: {entry[0]: entry[1] for entry in entries} for answer in answers for *_, name, entries in answer.resources}
    wrong = [
        f"topic {name}: {fault}"
        for name, topic in ours.items()
        for fault in faults(topic, found.get(name, {}), copies[name], settings.kept(topic.kept_for))
    ]
    return TopicsFound(wrong, {name: copies[name] for name in ours if copies[name] < COPIES})
