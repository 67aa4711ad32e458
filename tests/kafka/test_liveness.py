"""A worker that is stuck ends itself, one that has nothing to do or waits on purpose does not; edges are asked, not believed."""

import asyncio
from collections.abc import Iterable, Sequence
from contextlib import aclosing
from dataclasses import dataclass, field

import pytest

from runtime.postgres import open_pool
from runtime.producer import Publisher
from schemas.messages import ProfileImport
from schemas.settings import Settings
from schemas.topics import IMPORTS, Outgoing
from store.positions import Partition
from tests.kafka.conftest import BATCH, Bench, until
from workers.exactly_once import Stream, Stuck, liveness
from workers.exactly_once.liveness import lagging
from workers.exactly_once.stream import STUCK

COUNT = 50


@pytest.fixture
def hasty(monkeypatch: pytest.MonkeyPatch) -> list[set[Partition]]:
    """A minute of 0.6 s, and what was found to lag after each."""
    found: list[set[Partition]] = []

    async def noted(settings: Settings, partitions: Iterable[Partition]) -> set[Partition]:
        found.append(await lagging(settings, partitions))
        return found[-1]

    monkeypatch.setattr(liveness, "LOOK_EVERY", 0.05)
    monkeypatch.setattr(liveness, "lagging", noted)
    return found


@dataclass
class Deaf:
    """A consumer's `getmany` that has stopped fetching, and tells nobody."""

    returns: bool
    asked: asyncio.Event = field(default_factory=asyncio.Event)

    async def getmany(self, **_: object) -> dict[object, object]:
        self.asked.set()
        if not self.returns:
            await asyncio.Event().wait()
        await asyncio.sleep(0.01)
        return {}


class Mute(Publisher):
    """Whose broker never confirms anything, and never refuses."""

    async def publish(self, records: Sequence[Outgoing]) -> None:
        await asyncio.Event().wait()


async def unanswered() -> None:
    await asyncio.Event().wait()


async def go_deaf(bench: Bench, deaf: Deaf) -> None:
    async with bench.running() as stream:
        await until(lambda: _moves(stream))
        stream._consumer.getmany = deaf.getmany
        # What was asked before would still be answered.
        await deaf.asked.wait()
        await bench.feed(["1"] * COUNT)
        await asyncio.Event().wait()


async def lose_all(bench: Bench) -> None:
    async with bench.running() as stream:
        await until(lambda: _moves(stream))
        assert stream._owned is not None
        stream._owned.on_partitions_revoked(())
        await bench.feed(["1"] * COUNT)
        await asyncio.Event().wait()


@pytest.mark.promise("P-OPS-23")
@pytest.mark.parametrize("returns", [True, False])
async def test_a_worker_whose_consumer_stopped_silently_ends_itself(bench: Bench, hasty: list[set[Partition]], returns: bool) -> None:
    with pytest.raises(ExceptionGroup) as caught:
        await go_deaf(bench, Deaf(returns))

    assert caught.group_contains(Stuck, match="have not moved for a minute")


@pytest.mark.promise("P-OPS-23")
async def test_a_worker_that_has_nothing_to_do_goes_on(bench: Bench, hasty: list[set[Partition]]) -> None:
    await bench.feed(["1"] * COUNT)
    async with bench.running():
        await bench.until_processed(COUNT)
        await until(lambda: _noted(hasty, 2))
        await bench.feed(["1"], first=COUNT)
        await bench.until_processed(COUNT + 1)

    assert hasty[:2] == [set(), set()]


@pytest.mark.promise("P-OPS-23")
async def test_a_partition_that_is_held_on_purpose_is_not_stuck(bench: Bench) -> None:
    await bench.send([ProfileImport(v=2, batch=BATCH.hex(), item=0, value="1", data={})])
    async with bench.running() as stream:
        await until(lambda: _says(stream, "upgrade this worker first"))
        standing = len(stream.standing())

    assert standing == bench.settings.partitions - 1


@pytest.mark.promise("P-OPS-23")
async def test_a_worker_that_a_living_database_refuses_is_not_stuck(bench: Bench) -> None:
    await bench.pool.execute("ALTER TABLE ledger RENAME TO mislaid")
    await bench.feed(["1"])
    async with bench.running() as stream:
        await until(lambda: _says(stream, "UndefinedTableError"))
        assert stream.standing() == {}

        await bench.pool.execute("ALTER TABLE mislaid RENAME TO ledger")
        await until(lambda: _moves(stream))


@pytest.mark.promise("P-OPS-23")
async def test_a_worker_whose_take_over_never_ends_ends_itself(bench: Bench, hasty: list[set[Partition]]) -> None:
    await bench.feed(["1"] * COUNT)
    async with aclosing(Mute(bench.settings)) as mute:
        with pytest.raises(ExceptionGroup) as caught:
            async with bench.running(publisher=mute):
                await asyncio.Event().wait()

    assert caught.group_contains(Stuck)


@pytest.mark.promise("P-OPS-23")
async def test_a_worker_whose_rebalance_never_ends_ends_itself(bench: Bench, hasty: list[set[Partition]]) -> None:
    with pytest.raises(ExceptionGroup) as caught:
        await lose_all(bench)

    assert caught.group_contains(Stuck)


@pytest.mark.promise("P-OPS-23")
async def test_a_worker_that_the_broker_gives_nothing_does_not_end_itself(bench: Bench) -> None:
    async with bench.running() as stream:
        await until(lambda: _moves(stream))
        assert stream._owned is not None
        stream._owned.on_partitions_revoked(())
        stream._owned.on_partitions_assigned([])
        standing = stream.standing()

    assert standing == {}


@pytest.mark.promise("P-HTTP-30")
async def test_a_loop_that_does_not_turn_is_told_at_the_health_port(bench: Bench) -> None:
    async with bench.running() as stream:
        await until(lambda: _moves(stream))
        before, stream._turned = stream.alive(), stream._turned - STUCK
        after = stream.alive()

    assert (before, after) == ([], [f"the loop of {bench.settings.topic(IMPORTS.name)} has not turned for 60 s"])


@pytest.mark.promise("P-OPS-15")
async def test_a_worker_without_work_says_that_an_edge_is_away(bench: Bench) -> None:
    nowhere = bench.settings.model_copy(update={"postgres": "postgresql://postgres@127.0.0.1:1/postgres"})
    async with await open_pool(nowhere) as away, bench.running() as stream:
        await until(lambda: _moves(stream))
        before = await stream.probes.problems()
        stream.probes._pool, stream.probes.consumer.topics = away, unanswered
        after = await stream.probes.problems()

    assert before == []
    assert after == [
        "Kafka does not answer (TimeoutError): start it, or set PROFUSE_KAFKA",
        "Postgres does not answer (ConnectionRefusedError): start it, or set PROFUSE_POSTGRES",
    ]


async def _moves(stream: Stream[ProfileImport]) -> bool:
    return stream.problems() == [] and bool(stream.standing())


async def _says(stream: Stream[ProfileImport], words: str) -> bool:
    return any(words in problem for problem in stream.problems())


async def _noted(found: list[set[Partition]], count: int) -> bool:
    return len(found) >= count
