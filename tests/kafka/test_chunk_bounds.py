"""A chunk is bounded in bytes and in the items that its messages name; what is read and not taken is read again."""

import dataclasses

import pytest

from schemas.ids import TriggerId, new_id
from schemas.messages import ProfileImport, ProfilesMatched, TriggerStart
from schemas.topics import IMPORTS, Outgoing
from tests.kafka.conftest import BATCH, Bench
from tests.unit.test_chunks import FakeRecord
from workers.exactly_once.chunks import Capacity, decoded

COUNT = 300
SIZE = 1_000


@pytest.mark.promise("P-OPS-17")
async def test_a_chunk_of_large_messages_holds_few_of_them_and_all_are_processed(bench: Bench) -> None:
    topic = bench.settings.topic(IMPORTS.name)
    messages = [ProfileImport(batch=BATCH.hex(), item=item, value="1", data={"_fname": "x" * SIZE}) for item in range(COUNT)]
    await bench.publisher.publish([Outgoing(topic, b"%d" % (each.item % 2), each.encode()) for each in messages])
    bounded = dataclasses.replace(bench, settings=bench.settings.model_copy(update={"chunk_bytes": 20 * SIZE}))
    async with bounded.running():
        await bench.until_processed(COUNT)

    assert list(range(COUNT)) == await bench.items()
    assert max(bench.ledger.sizes) <= 20


@pytest.mark.promise("P-OPS-17")
def test_a_chunk_of_messages_that_name_many_items_holds_few_of_them() -> None:
    ids = new_id().hex() * 10
    starts = [TriggerStart(trigger=TriggerId(1))] * 2
    message = ProfilesMatched(batch=BATCH.hex(), chunk=0, items=list(range(10)), profiles=ids, starts=starts)
    records = [FakeRecord(offset, value=message.encode()) for offset in range(9)]
    entries, _ = decoded(ProfilesMatched, records, Capacity(9, 9**9, 50))

    # Of ten items for two triggers each.
    assert len(entries) == 3


@pytest.mark.promise("P-OPS-17")
async def test_a_chunk_that_is_too_much_is_committed_in_parts_and_a_message_that_is_so_alone_is_set_aside(bench: Bench) -> None:
    bench.ledger.most = 3
    await bench.feed(["1"] * 10 + ["too much"] + ["1"] * 10)
    signs: list[int] = []
    async with bench.running() as stream:
        stream._count = signs.append  # type: ignore[assignment, method-assign]
        await bench.until_processed(21)

    assert [item for item in range(21) if item != 10] == await bench.items()
    assert await bench.pool.fetchval("SELECT count(*) FROM dead_letters") == 1
    # So many parts at least, each of which shows that the process lives.
    assert len(signs) >= 7
