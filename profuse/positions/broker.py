"""What the broker says of a topic: its partitions, what they hold, and who reads them."""

import asyncio
from collections.abc import AsyncIterator, Iterator, Mapping
from contextlib import asynccontextmanager, contextmanager
from typing import Any

from aiokafka import TopicPartition
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.coordinator.protocol import ConsumerProtocolMemberAssignment
from aiokafka.errors import KafkaError, for_code

from profuse.migrating.starting import while_starting
from profuse.positions.standing import Range
from runtime.broker import partitions_of_all
from runtime.errors import CannotRun
from runtime.kafka import BrokerUnavailable, new_consumer, started, stop_client
from schemas.settings import Settings
from workers.exactly_once.chunks import Record, fingerprint

# For a broker that is frozen.
_PATIENCE = 20.0
_FETCHED = 256 * 1024


@asynccontextmanager
async def asked(settings: Settings) -> AsyncIterator[Any]:
    """A client that reads what it is told to; what the broker has against it is told in a line."""
    with in_a_line(settings):
        consumer = await started(new_consumer(settings, None, _FETCHED))
        try:
            yield consumer
        finally:
            await stop_client(consumer)


@contextmanager
def in_a_line(settings: Settings) -> Iterator[None]:
    try:
        yield
    except (KafkaError, BrokerUnavailable, OSError, TimeoutError) as error:
        raise CannotRun(f"Kafka at {settings.kafka} does not do as asked ({error!r}): start it, or set PROFUSE_KAFKA") from error


async def ranges(settings: Settings, consumer: Any, topic: str, positions: Mapping[int, int]) -> dict[int, Range]:
    """What each of its partitions holds, none where there is no such topic."""
    found = [TopicPartition(topic, number) for number in await _partitions(settings, topic)]
    firsts, ends = await consumer.beginning_offsets(found), await consumer.end_offsets(found)
    befores = {each: positions.get(each.partition, 0) - 1 for each in found}
    readable = {each: before for each, before in befores.items() if firsts[each] <= before < ends[each]}
    prints = await _prints(consumer, readable)
    return {each.partition: Range(firsts[each], ends[each], prints.get(each)) for each in found}


async def _prints(consumer: Any, offsets: Mapping[TopicPartition, int]) -> dict[TopicPartition, str]:
    consumer.assign(list(offsets))
    for partition, offset in offsets.items():
        consumer.seek(partition, offset)
    async with asyncio.timeout(_PATIENCE):
        return {partition: fingerprint(await consumer.getone(partition)) for partition in offsets}


async def records(consumer: Any, topic: str, partition: int, first: int, end: int) -> AsyncIterator[list[Record]]:
    """All of a stretch that is there, some at a time."""
    where = TopicPartition(topic, partition)
    if first >= end:
        return
    consumer.assign([where])
    consumer.seek(where, first)
    while first < end:
        async with asyncio.timeout(_PATIENCE):
            read = [await consumer.getone(where), *(await consumer.getmany(where, timeout_ms=0)).get(where, ())]
        yield [record for record in read if record.offset < end]
        first = read[-1].offset + 1


async def workers(settings: Settings, room: str) -> dict[str, list[int]]:
    """Who belongs to a room's group, and which partitions they have; who has none may get some at any moment."""
    async with _admin(settings) as admin:
        # A broker that was never asked for a group makes its list of them first.
        members = await while_starting(_is_passing, _members, admin, settings.topic(room))
    return {_name(member): _assigned(member["member_assignment"]) for member in members}


async def _members(admin: AIOKafkaAdminClient, name: str) -> list[dict[str, Any]]:
    (answer,) = await admin.describe_consumer_groups([name])
    (group,) = answer.to_object()["groups"]
    if group["error_code"]:
        raise for_code(group["error_code"])
    members: list[dict[str, Any]] = group["members"]
    return members


def _is_passing(error: BaseException) -> bool:
    return isinstance(error, KafkaError) and error.retriable


def _name(member: Mapping[str, Any]) -> str:
    """Where it is; the end of its id tells those of one machine apart."""
    return f"{member['client_host'].removeprefix('/')} ({member['member_id'][-8:]})"


def _assigned(packed: bytes) -> list[int]:
    # Who has just come has none.
    return [each.partition for each in ConsumerProtocolMemberAssignment.decode(packed).partitions()] if packed else []


async def _partitions(settings: Settings, topic: str) -> list[int]:
    async with _admin(settings) as admin:
        described = await partitions_of_all(admin)
    return sorted(each["partition"] for each in described.get(topic, ()))


@asynccontextmanager
async def _admin(settings: Settings) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(**settings.kafka_options(), request_timeout_ms=10_000)
    try:
        await admin.start()
        yield admin
    finally:
        await admin.close()
