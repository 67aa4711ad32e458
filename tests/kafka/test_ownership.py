"""What a worker believes of its partitions, while the broker changes its mind at any moment."""

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import dataclass
from typing import Any

import pytest
from aiokafka.structs import TopicPartition

from runtime.kafka import new_consumer
from runtime.producer import Publisher
from runtime.wakeup import Wakeup
from schemas.messages import ProfileImport
from schemas.topics import IMPORTS, MATCHES, Outgoing, pack
from tests.kafka.conftest import BATCH, Bench, announced
from workers.exactly_once.chunks import Capacity, Record, decoded
from workers.exactly_once.ownership import Ownership

COUNT = 10


class Interrupted(Publisher):
    """Something happens while it publishes for the first time."""

    happening: Callable[[], None] | None = None

    async def publish(self, records: Sequence[Outgoing]) -> None:
        happening, self.happening = self.happening, None
        if happening is not None:
            happening()
        await super().publish(records)


@dataclass
class Member:
    """A consumer that was given all partitions, and has taken over none."""

    owned: Ownership
    consumer: Any
    publisher: Interrupted

    def __post_init__(self) -> None:
        self.everything = sorted(self.owned.waiting)

    async def read(self) -> Mapping[TopicPartition, Sequence[Record]]:
        """What the broker has, as soon as it returns something."""
        returned: Mapping[TopicPartition, Sequence[Record]] = await self.consumer.getmany(timeout_ms=5_000)
        return returned


@pytest.fixture
async def member(bench: Bench) -> AsyncIterator[Member]:
    topic = bench.settings.topic(IMPORTS.name)
    consumer = new_consumer(bench.settings, "ledger")
    async with aclosing(Interrupted(bench.settings)) as publisher:
        owned = Ownership(topic, consumer, bench.pool, publisher, Wakeup())
        consumer.subscribe([topic], listener=owned)
        await consumer.start()
        yield Member(owned, consumer, publisher)
        await consumer.stop()


async def test_what_waits_to_be_taken_over_is_not_read(bench: Bench, member: Member) -> None:
    await bench.feed(["1"] * COUNT)

    assert await member.consumer.getmany(timeout_ms=1_000) == {}


@pytest.mark.promise("P-OPS-07")
async def test_a_partition_that_comes_during_a_take_over_keeps_its_outbox(bench: Bench, member: Member) -> None:
    for each in member.everything:
        stored = ProfileImport(batch=BATCH.hex(), item=each.partition, value="1", data={}).encode()
        packed = pack([Outgoing(bench.settings.topic(MATCHES.name), b"", stored)])
        await bench.pool.execute("UPDATE progress SET outbox = $1 WHERE topic = $2 AND partition = $3", packed, each.topic, each.partition)
    member.owned.on_partitions_assigned(member.everything[:1])
    member.publisher.happening = lambda: member.owned.on_partitions_assigned(member.everything)

    await member.owned.take_over()
    first = set(member.owned.positions)
    await member.owned.take_over()

    assert len(first) == 1
    assert set(range(len(member.everything))) == set(await announced(bench.settings))


async def test_a_partition_that_goes_during_a_take_over_is_not_taken(member: Member) -> None:
    member.publisher.happening = lambda: member.owned.on_partitions_revoked(member.everything)

    await member.owned.take_over()

    assert member.owned.positions == {}


async def test_a_partition_that_was_given_to_another_before_we_are_told_is_not_taken(member: Member) -> None:
    kept = member.everything[:1]
    member.publisher.happening = lambda: member.consumer._subscription.assign_from_subscribed(kept)

    await member.owned.take_over()

    assert list(member.owned.positions) == kept


async def test_a_partition_that_was_given_to_another_before_we_are_told_does_not_lag(member: Member) -> None:
    await member.owned.take_over()
    (kept,) = given = member.everything[:1]
    member.consumer._subscription.assign_from_subscribed(given)

    # Perhaps: nothing was read of it yet.
    assert member.owned.lagging() == {kept.partition}


@pytest.mark.promise("P-WATCH-01")
async def test_the_lag_is_what_the_broker_has_told_of_our_partitions_and_is_not_processed(bench: Bench, member: Member) -> None:
    before = member.owned.lag()
    await bench.feed(["1"] * COUNT)
    await member.owned.take_over()
    read: dict[TopicPartition, int] = {}
    while sum(read.values()) < COUNT:
        read |= {partition: len(records) for partition, records in (await member.read()).items()}
    whole = member.owned.lag()
    member.owned.on_partitions_revoked(member.everything)

    assert (before, whole, member.owned.lag()) == (0, COUNT, 0)


async def test_records_that_the_client_lost_are_read_again(bench: Bench, member: Member) -> None:
    await bench.feed(["1"] * COUNT)
    await member.owned.take_over()
    ((partition, records),) = list((await member.read()).items())[:1]
    lost = member.owned.ahead({partition: records[1:]})
    again: Mapping[TopicPartition, Sequence[Record]] = {}
    while partition not in again and (returned := await member.read()):
        again = member.owned.ahead(returned)

    assert lost == {partition: []}
    assert [record.offset for record in again[partition]] == [record.offset for record in records]


async def test_what_was_read_of_a_partition_that_has_gone_is_dropped_and_moves_nothing(bench: Bench, member: Member) -> None:
    await bench.feed(["1"] * COUNT)
    await member.owned.take_over()
    returned = await member.read()
    ((_, records), *_) = member.owned.ahead(returned).items()
    member.owned.on_partitions_revoked(member.everything)
    member.owned.advance(decoded(ProfileImport, records, Capacity(COUNT, 9**9, COUNT))[0])

    assert member.owned.ahead(returned) == {}
    assert member.owned.positions == {}
