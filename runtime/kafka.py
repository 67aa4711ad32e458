"""The workers' consumer, and what they ask of the broker."""

import asyncio
from collections.abc import Iterable, Mapping
from contextlib import suppress
from dataclasses import dataclass
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from aiokafka.errors import KafkaError
from aiokafka.structs import TopicPartition

from schemas.settings import Settings
from schemas.topics import ALL, COPIES, faults

STOPPING = 2.0
_CUT_OFF_WITHIN = 0.5
# So soon it is seen that a topic was made anew, or has other partitions.
CHANGES_SEEN_AFTER = 10.0


class BrokerUnavailable(Exception):
    """The broker did not confirm what was sent; it may or may not have it."""


AWAY = (BrokerUnavailable, KafkaError)
"""What is raised when the broker is away, or not as this version expects it."""


def new_consumer(settings: Settings, group: str | None, fetched: int = 4 * 1024 * 1024) -> AIOKafkaConsumer:
    """A consumer that never decides by itself where to read: positions are in Postgres.

    `fetched` are the bytes of each partition that it may hold before they are asked for; one without a group is told what to read.
    """
    session = int(settings.session_timeout.total_seconds() * 1000)
    return AIOKafkaConsumer(
        **settings.kafka_options(),
        group_id=None if group is None else settings.topic(group),
        enable_auto_commit=False,
        # "earliest" would rewind silently when an offset is out of range.
        auto_offset_reset="none",
        session_timeout_ms=session,
        heartbeat_interval_ms=1_000,
        rebalance_timeout_ms=30_000,
        metadata_max_age_ms=int(CHANGES_SEEN_AFTER * 1000),
        max_partition_fetch_bytes=fetched,
        fetch_max_wait_ms=250,
    )


async def ask(consumer: Any) -> None:
    """Raises `BrokerUnavailable` if the broker does not answer."""
    try:
        await consumer.topics()
    except KafkaError as error:
        raise BrokerUnavailable(repr(error)) from error


async def end_offsets(settings: Settings, partitions: Iterable[tuple[str, int]]) -> dict[tuple[str, int], int]:
    """Where the partitions end, asked by a client of its own. Raises `BrokerUnavailable`."""
    consumer = AIOKafkaConsumer(**settings.kafka_options())
    try:
        await consumer.start()
        ends = await consumer.end_offsets([TopicPartition(*partition) for partition in partitions])
    except KafkaError as error:
        raise BrokerUnavailable(repr(error)) from error
    finally:
        await stop_client(consumer)
    return {(partition.topic, partition.partition): end for partition, end in ends.items()}


async def caught_up(settings: Settings, positions: Mapping[tuple[str, int], int], before: float) -> bool:
    """Whether all records that are older than `before`, a Unix time, lie below these positions. Raises `BrokerUnavailable`."""
    consumer = AIOKafkaConsumer(**settings.kafka_options())
    partitions = [TopicPartition(*partition) for partition in positions]
    try:
        await consumer.start()
        young = await consumer.offsets_for_times(dict.fromkeys(partitions, int(before * 1000)))
        ends = await consumer.end_offsets(partitions)
    except KafkaError as error:
        raise BrokerUnavailable(repr(error)) from error
    finally:
        await stop_client(consumer)
    # No young one: all are old.
    return all(positions[each.topic, each.partition] >= (young[each].offset if young[each] else ends[each]) for each in partitions)


async def delete_records(settings: Settings, below: Mapping[tuple[str, int], int], before: float) -> int:
    """Let the broker delete the records below these offsets that are older than `before`, a Unix time; how many those were.

    Raises `BrokerUnavailable`.
    """
    if not below:
        return 0
    consumer, admin = AIOKafkaConsumer(**settings.kafka_options()), AIOKafkaAdminClient(**settings.kafka_options())
    limits = {TopicPartition(*partition): offset for partition, offset in below.items()}
    try:
        await consumer.start()
        await admin.start()
        starts = await consumer.beginning_offsets(list(limits))
        young = await consumer.offsets_for_times(dict.fromkeys(limits, int(before * 1000)))
        # No young one: all are old.
        ends = {each: min(limit, young[each].offset if young[each] else limit) for each, limit in limits.items()}
        old = {each: RecordsToDelete(end) for each, end in ends.items() if end > starts[each]}
        await admin.delete_records(old)
    except KafkaError as error:
        raise BrokerUnavailable(repr(error)) from error
    finally:
        await stop_client(consumer)
        await admin.close()
    return sum(ends[each] - starts[each] for each in old)


@dataclass(frozen=True)
class TopicsFound:
    """What the broker says of the topics: settings that would lose records, and topics with fewer copies than are safe."""

    faults: list[str]
    few_copies: dict[str, int]


async def look_at_topics(settings: Settings) -> TopicsFound:
    """The topics that exist, as they are really set. Raises `BrokerUnavailable`."""
    admin = AIOKafkaAdminClient(**settings.kafka_options())
    try:
        await admin.start()
        return await topics_of(admin, settings)
    except (KafkaError, OSError) as error:
        raise BrokerUnavailable(repr(error)) from error
    finally:
        await admin.close()


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


async def started(client: Any) -> Any:
    """The client, once it has started; one that could not is stopped, or it would leave connections behind."""
    try:
        await client.start()
    except BaseException:
        await stop_client(client)
        raise
    return client


async def cut_off(producer: AIOKafkaProducer, within: float = STOPPING) -> None:
    """End a producer for whose confirmations nobody waits any more.

    Asked to stop it would wait for them itself, and where the broker does not confirm, be there for ever and go on trying.
    """
    # It has no other name for either.
    sender, producer._closed = producer._sender, True  # noqa: SLF001
    with suppress(KafkaError, OSError, TimeoutError):
        async with asyncio.timeout(within):
            if sender is not None:
                await sender.close()
            await producer.client.close()


async def stop_client(client: Any) -> None:
    """Stop a consumer or producer; without a broker they would wait for ever."""
    try:
        async with asyncio.timeout(STOPPING):
            await client.stop()
    except (KafkaError, OSError, TimeoutError):
        # Whatever was not confirmed is published again from its outbox.
        return
    except asyncio.CancelledError:
        # A consumer whose fetch has just failed lets its own cancelling of it through.
        if (task := asyncio.current_task()) is None or task.cancelling():
            raise
        # What its own stopping did not come to: its connections would stay.
        with suppress(KafkaError, OSError, TimeoutError):
            async with asyncio.timeout(_CUT_OFF_WITHIN):
                await (getattr(client, "_client", None) or client.client).close()
