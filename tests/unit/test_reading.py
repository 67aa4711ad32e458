"""What a chunk takes of a client that hands out one partition after the other."""

import asyncio
from collections import defaultdict
from typing import Any

import pytest
from aiokafka import TopicPartition

from runtime import kafka
from runtime.wakeup import Wakeup
from schemas.ids import TriggerId, new_id
from schemas.messages import ProfilesMatched, TriggerStart
from schemas.settings import Settings
from schemas.topics import MATCHES
from tests.unit.test_chunks import FakeRecord
from workers.exactly_once import reading
from workers.exactly_once.ownership import Ownership
from workers.exactly_once.reading import Reading

TOPIC = Settings().topic(MATCHES.name)
MANY = 12
ITEMS = 20


def record(partition: int, offset: int) -> FakeRecord:
    ids = new_id().hex() * ITEMS
    message = ProfilesMatched(
        batch=new_id().hex(), chunk=0, items=list(range(ITEMS)), profiles=ids, starts=[TriggerStart(trigger=TriggerId(1))]
    )
    return FakeRecord(offset, partition, message.encode())


class Client:
    """Has all that is ahead in its hands, as the broker's client has; it is told what to read again."""

    def __init__(self, partitions: int, each: int) -> None:
        self.held = {TopicPartition(TOPIC, number): [record(number, at) for at in range(each)] for number in range(partitions)}
        self._ends = {partition: len(records) for partition, records in self.held.items()}
        self.seeks: defaultdict[TopicPartition, int] = defaultdict(int)
        self.asked = 0
        # Does not answer while the broker gives partitions away, and tells this first.
        self.revoking: Any = None

    async def getmany(self, *of: TopicPartition, timeout_ms: int, max_records: int) -> dict[TopicPartition, list[FakeRecord]]:
        self.asked += 1
        if self.revoking is not None:
            self.revoking()
            await asyncio.Event().wait()
        partition = next((each for each in of or self.held if self.held[each]), None)
        if partition is None:
            return {}
        taken, self.held[partition] = self.held[partition][:max_records], self.held[partition][max_records:]
        return {partition: taken}

    def seek(self, partition: TopicPartition, offset: int) -> None:
        self.seeks[partition] += 1

    def assignment(self) -> set[TopicPartition]:
        return set(self.held)

    def highwater(self, partition: TopicPartition) -> int:
        return self._ends[partition]


def reading_of(client: Client, **settings: Any) -> tuple[Reading[ProfilesMatched], Ownership]:
    wakeup = Wakeup()
    owned = Ownership(TOPIC, client, None, None, wakeup)  # type: ignore[arg-type]
    owned.positions = dict.fromkeys(client.held, 0)
    return Reading(Settings(**settings), MATCHES, client, wakeup), owned


@pytest.mark.promise("P-OPS-17")
async def test_no_more_is_read_than_the_items_that_a_chunk_may_name() -> None:
    client = Client(MANY, 30)
    found, owned = reading_of(client, chunk_items=6 * ITEMS)
    first = await found.chunk(owned, 100, [])
    for partition in owned.positions:
        owned.positions[partition] = 30 - len(client.held[partition])
    client.seeks.clear()
    second = await found.chunk(owned, 100, [])

    assert (len(first), len(second)) == (6, 6)
    # Nothing that would have to be fetched again.
    assert not client.seeks


@pytest.mark.promise("P-OPS-50")
async def test_of_large_messages_each_partition_that_is_behind_has_its_share_of_every_chunk() -> None:
    client = Client(MANY, 30)
    found, owned = reading_of(client, chunk_bytes=4 * MANY * len(record(0, 0).value or b""))
    # How large they are is known by the first.
    await found.chunk(owned, 1_000, [])
    for partition in owned.positions:
        owned.positions[partition] = 30 - len(client.held[partition])
    behind = {partition.partition for partition, records in client.held.items() if records}
    chunk = await found.chunk(owned, 1_000, [])

    assert len(behind) > MANY / 2
    assert {entry.record.partition for entry in chunk} == behind


@pytest.mark.promise("P-OPS-13")
async def test_partitions_that_are_taken_away_meanwhile_are_not_waited_for_one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka, "REBALANCE_WAIT", 0.01)
    monkeypatch.setattr(reading, "POLL", 0.0)
    client = Client(MANY, 30)
    found, owned = reading_of(client)
    client.revoking = lambda: owned.on_partitions_revoked([])

    assert await found.chunk(owned, 10, []) == []
    assert client.asked <= 2
