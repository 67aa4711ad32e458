"""A message that is to blame is found also while the other partitions have much to do."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field, replace

import asyncpg
import pytest

from schemas.messages import ProfileImport
from schemas.topics import IMPORTS, Outgoing, item_headers, partition
from tests.kafka.conftest import BATCH, Bench, Ledger, batch_of, until
from workers.exactly_once import Dead

TOO_LONG = ProfileImport(batch=BATCH.hex(), item=0, value="breaks while it is applied", data={}).encode()
NAMED_WITH_NUL = b'{"v":1,"batch":"%s","item":0,"value":"x","data":{},"a\\u0000b":1}' % BATCH.hex().encode()
REASONS = {TOO_LONG: "takes too long, even alone", NAMED_WITH_NUL: "unreadable: Object contains unknown field `a\ufffdb`"}


@pytest.mark.promise("P-OPS-34", "P-OPS-35")
@pytest.mark.parametrize("value", [TOO_LONG, NAMED_WITH_NUL], ids=["too long", "unreadable"])
@pytest.mark.parametrize("where", [0, 3])
async def test_it_is_set_aside_and_its_partition_goes_on(bench: Bench, value: bytes, where: int) -> None:
    await batch_of(bench.pool, 1, BATCH)
    bench.ledger.breaking = asyncpg.IdleInTransactionSessionTimeoutError
    async with bench.running(), busy(bench, where):
        await bench.until_processed(300)
        await bench.publisher.publish([to(bench, where, value, 0), *(good(bench, where, item) for item in range(1, 6))])
        # Each time that it is cut short takes all partitions a pause, and it is found by halves of halves.
        await until(lambda: set_aside(bench))
        await until(lambda: passed(bench, 5))

    assert await bench.pool.fetchval("SELECT array_agg(reason) FROM dead_letters") == [REASONS[value]]


@dataclass
class Noting(Ledger):
    """Notes the items of each chunk."""

    chunks: list[set[int]] = field(default_factory=list)

    async def apply(self, connection: asyncpg.Connection, messages: Sequence[ProfileImport], dead: Sequence[Dead]) -> list[Outgoing]:
        self.chunks.append({message.item for message in messages})
        return await super().apply(connection, messages, dead)


@pytest.mark.promise("P-OPS-50")
async def test_who_has_little_to_do_is_read_beside_who_has_much(bench: Bench) -> None:
    """All are in the client's hands at once, which empties one partition before it comes to the next."""
    few = {number: set(range(10 * number, 10 * number + 5)) for number in (1, 2, 3)}
    await bench.publisher.publish([good(bench, 0, item) for item in range(1_000, 3_000)])
    await bench.publisher.publish([good(bench, number, item) for number, items in few.items() for item in items])
    ledger = Noting(bench.settings)
    slow = replace(bench, ledger=ledger, settings=bench.settings.model_copy(update={"chunk": 32}))
    async with slow.running():
        await bench.until_processed(2_015)

    for items in few.values():
        assert items <= set().union(*ledger.chunks[:6])


@asynccontextmanager
async def busy(bench: Bench, but: int) -> AsyncIterator[None]:
    async def publish() -> None:
        item = 1_000
        while True:
            await bench.publisher.publish([good(bench, number, item := item + 1) for number in range(4) if number != but for _ in range(5)])
            await asyncio.sleep(0.05)

    publishing = asyncio.create_task(publish())
    yield
    publishing.cancel()


def good(bench: Bench, number: int, item: int) -> Outgoing:
    return to(bench, number, ProfileImport(batch=BATCH.hex(), item=item, value="1", data={}).encode(), item)


def to(bench: Bench, number: int, value: bytes, item: int) -> Outgoing:
    key = next(b"%d" % each for each in range(1_000) if partition(b"%d" % each, bench.settings.partitions) == number)
    return Outgoing(bench.settings.topic(IMPORTS.name), key, value, item_headers(BATCH, item))


async def set_aside(bench: Bench) -> bool:
    return bool(await bench.pool.fetchval("SELECT count(*) FROM dead_letters"))


async def passed(bench: Bench, item: int) -> bool:
    return item in await bench.items()
