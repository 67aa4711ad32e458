"""Several hooks processes, some of which die, freeze, or have lost what they believe they have."""

import asyncio
from collections.abc import AsyncIterator, Callable
from pathlib import Path

import pytest
from structlog.testing import capture_logs

from runtime import broker
from schemas.topics import EVENTS
from tests.kafka.conftest import until
from tests.kafka.hooks.conftest import World
from tests.kafka.hosting import hosted, says
from tests.pipeline.processes import Process
from tests.receiving import GOOD

Start = Callable[..., Process]


@pytest.fixture
async def start(world: World, tmp_path: Path) -> AsyncIterator[Start]:
    """Starts `profuse hooks`, as an operator does."""
    started: list[Process] = []
    settings = world.settings
    environment = {"PROFUSE_KAFKA": settings.kafka, "PROFUSE_POSTGRES": settings.postgres, "PROFUSE_PREFIX": settings.prefix}
    hurried = {"PROFUSE_SESSION_TIMEOUT": "PT6S"}

    def one(**more: str) -> Process:
        number = len(started)
        process = Process("hooks", f"hooks-{number}", environment | hurried, tmp_path / f"{number}.log")
        process.start(**more)
        started.append(process)
        return process

    yield one
    for process in started:
        process.ask_to_stop()
    for process in started:
        process.wait(10)


@pytest.mark.promise("P-HOOK-06", "P-HOOK-13")
@pytest.mark.parametrize("point", ["noted", "posted", "moved"])
async def test_a_process_that_dies_at_any_step_leaves_a_batch_that_is_sent_as_it_was(world: World, start: Start, point: str) -> None:
    await world.declare("crm", batch=5)
    dying = start(PROFUSE_CRASH_AT=f"hooks:{point}")
    await world.tell(range(12))
    await until(lambda: _ended(dying))
    before = [(got.id, got.body) for got in world.receiver.got["crm"]]
    # It wants something else by now.
    await world.declare("crm", batch=3)
    start()
    await world.until_taken("crm", range(12), 60)
    posted = world.receiver.got["crm"]

    assert len(before) == (0 if point == "noted" else 1)
    assert posted[0].items == list(range(5))
    if point == "posted":
        assert (posted[1].id, posted[1].body) == before[0]


@pytest.mark.promise("P-HOOK-12")
async def test_two_processes_share_the_partitions_and_one_takes_over_when_the_other_dies(world: World, start: Start) -> None:
    await world.declare("crm")
    first, second = start(), start()
    for at in range(4):
        await world.tell([at], at=at)
    await until(lambda: _joined(first, second))
    await world.until_posted("crm", 4)
    first.kill9()
    for at in range(4):
        await world.tell([at + 4], at=at)

    async def all_came() -> bool:
        return sorted(set(world.receiver.items("crm"))) == list(range(8))

    await until(all_came, 60)


@pytest.mark.promise("P-HOOK-12")
async def test_another_one_that_joins_and_leaves_repeats_nothing(world: World) -> None:
    await world.declare("crm")
    with capture_logs() as logs:
        async with hosted("hooks", world.settings) as first:
            for at in range(4):
                await world.tell(range(at * 3, at * 3 + 3), at=at)
            await until(lambda: _came(world, 12))
            await broker.delete_records(world.settings, {(world.settings.topic(EVENTS.name), at): 2 for at in range(4)}, 2**33)
            async with hosted("hooks", world.settings) as second:
                await until(lambda: says(second, ""))
                for turn in range(20):
                    for at in range(4):
                        await world.tell([12 + turn * 4 + at], at=at)
                await until(lambda: _came(world, 92))
            for at in range(4):
                await world.tell([92 + at], at=at)
            await until(lambda: _came(world, 96))
            was_ready = await first.ready()

    assert was_ready == []
    assert [entry for entry in logs if entry["log_level"] == "error"] == []

    items = [item for got in world.receiver.got["crm"] for item in got.items]

    # Of what is on its way when a partition moves, one batch of each may come twice.
    assert len(items) - len(set(items)) <= 8
    assert sorted(set(items)) == list(range(96))


@pytest.mark.promise("P-HOOK-13")
async def test_a_database_that_refuses_for_a_while_is_waited_for(world: World) -> None:
    await world.declare("crm", batch=2)
    async with hosted("hooks", world.settings) as room:
        await world.tell([0])
        await world.until_moved("crm", 0, 1)
        await world.pool.execute("ALTER TABLE hook_positions RENAME TO away")
        await world.tell(range(1, 9))
        await until(lambda: says(room, "run `profuse migrate`"))
        await world.pool.execute("ALTER TABLE away RENAME TO hook_positions")
        await world.until_taken("crm", range(9))
        await until(lambda: says(room, ""))


@pytest.mark.promise("P-HOOK-12")
async def test_a_process_whose_place_was_taken_finds_its_way_back(world: World) -> None:
    world.receiver.hang("crm")
    await world.declare("crm", timeout=1)
    with capture_logs() as logs:
        async with hosted("hooks", world.settings):
            await world.tell([0])
            await world.until_posted("crm", 1)
            await world.pool.execute("UPDATE hook_positions SET fence = fence + 1")
            world.receiver.always("crm", GOOD)
            await world.until_moved("crm", 0, 1)

    assert [entry["partition"] for entry in logs if entry["event"] == "hook_place_lost"] == [0]


@pytest.mark.promise("P-HOOK-15")
async def test_what_is_out_when_a_process_is_told_to_stop_comes_back(world: World) -> None:
    release = asyncio.Event()

    async def answering(_: object) -> bytes:
        await release.wait()
        return GOOD

    world.receiver.answering["crm"] = answering
    await world.declare("crm")
    async with hosted("hooks", world.settings):
        await world.tell([0])
        await world.until_posted("crm", 1)
        # When all else has ended.
        asyncio.get_running_loop().call_later(2.5, release.set)

    assert await world.position("crm") == 1
    assert len(world.receiver.got["crm"]) == 1


@pytest.mark.promise("P-HOOK-15")
async def test_a_process_that_is_told_to_stop_lets_what_is_out_come_back(world: World, start: Start) -> None:
    world.receiver.hang("hangs")
    await world.declare("hangs", timeout=60)
    await world.declare("well")
    process = start()
    await world.tell([0])
    await world.until_taken("well", [0])
    await world.until_posted("hangs", 1)
    process.ask_to_stop()

    assert await _ended_with(process) == 0
    assert await world.position("well") == 1


async def _came(world: World, count: int) -> bool:
    return len({item for got in world.receiver.got["crm"] for item in got.items}) >= count


async def _ended(process: Process) -> bool:
    return not process.runs


async def _ended_with(process: Process) -> int | None:
    await until(lambda: _ended(process), 10)
    return process.wait(0)


async def _joined(*processes: Process) -> bool:
    return all('"event": "joined"' in process.last_words() for process in processes)
