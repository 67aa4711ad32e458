"""Whoever holds a group keeps it until he lets it go, whatever he waits for; what ends meanwhile is not forgotten."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from datetime import timedelta

import pytest

from runtime.producer import Publisher, open_publisher
from schemas.settings import Settings
from tests.firing import FINISHED, Launcher, Topic, claim, counts, schedule, silent
from tests.launching import Remembering, World
from workers.launcher.deliver import delivery, sending
from workers.launcher.groups.naming import LeaseLost
from workers.launcher.model import Launch

_SHORT = timedelta(seconds=1)
_WAITING = "SELECT count(*) > 0 FROM pg_stat_activity WHERE $1 = ANY(pg_blocking_pids(pid))"


@pytest.fixture
async def hanging(tables: Settings) -> AsyncIterator[Publisher]:
    """To a broker that hangs."""
    with silent() as kafka:
        async with open_publisher(tables.model_copy(update={"kafka": kafka})) as publisher:
            yield publisher


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(20):
        while not await holds():
            await asyncio.sleep(0.02)


async def past(world: World, seconds: int) -> bool:
    """Whether so many seconds went by since the launch was due; nobody else may claim it before."""
    assert await claim(world) == []
    return bool(await world.pool.fetchval("SELECT now() > due_at + $1 FROM launches", timedelta(seconds=seconds)))


@pytest.mark.promise("P-LAUNCH-15", "P-LAUNCH-33")
async def test_a_group_whose_events_wait_for_a_broker_that_hangs_keeps_its_lease(world: World, topic: Topic, hanging: Publisher) -> None:
    await schedule(world, "a@example.com")
    launcher = Launcher(world, Remembering(), hanging, lease=_SHORT)
    working = asyncio.create_task(launcher.work_once())
    await until(lambda: world.pool.fetchval("SELECT launched = 1 FROM launches"))
    await until(lambda: past(world, 4))
    launcher.stop.set()
    await working
    another = Launcher(world, Remembering(), topic)
    await another.work_once()

    assert (launcher.channel.addresses(), another.channel.addresses()) == (["a@example.com"], [])
    assert topic.types() == ["launch", "send"]
    assert (await counts(world)).items() >= FINISHED.items()


@pytest.mark.promise("P-LAUNCH-16", "P-LAUNCH-33")
async def test_whoever_finds_that_he_lost_a_group_stops_sending(world: World, topic: Topic) -> None:
    cut_off: list[str] = []

    async def hang(launch: Launch) -> None:
        await world.pool.execute("UPDATE launches SET fence = fence + 1")
        try:
            await asyncio.Event().wait()
        finally:
            cut_off.append(launch.recipient.address)

    await schedule(world, "a@example.com")

    with pytest.raises(LeaseLost):
        await asyncio.wait_for(Launcher(world, Remembering(hang), topic, lease=_SHORT).work_once(), 10)

    assert (cut_off, topic.types()) == (["a@example.com"], [])


@pytest.mark.promise("P-OPS-13", "P-LAUNCH-33")
async def test_no_renewal_takes_back_a_group_that_is_let_go(world: World, topic: Topic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "_GRACE", 0.0)

    async def hang(_launch: Launch) -> None:
        # Renewed all the time by then.
        await until(lambda: past(world, 2))
        launcher.stop.set()
        await asyncio.Event().wait()

    await schedule(world, "a@example.com")
    launcher = Launcher(world, Remembering(hang), topic, lease=_SHORT)

    await launcher.work_once()

    # Longer than two renewals are apart.
    await until(lambda: world.pool.fetchval("SELECT now() > run_at + $1 FROM launches", _SHORT))


@pytest.mark.promise("P-LAUNCH-01", "P-LAUNCH-29")
async def test_what_ends_while_the_last_mark_is_written_is_marked_and_not_sent_again(
    world: World, topic: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "_LOOK_EVERY", 0.05)
    begun, locked, marking = (asyncio.Event() for _ in range(3))

    async def in_turn(launch: Launch) -> None:
        begun.set()
        await (marking if launch.recipient.address == "last@example.com" else locked).wait()

    await schedule(world, "a@example.com", "last@example.com")
    launcher = Launcher(world, Remembering(in_turn), topic)
    async with world.pool.acquire() as other, asyncio.TaskGroup() as tasks:
        tasks.create_task(launcher.work_once())
        await begun.wait()
        async with other.transaction():
            await other.execute("SELECT FROM launches FOR UPDATE")
            locked.set()
            await until(lambda: world.pool.fetchval(_WAITING, other.get_server_pid()))
            marking.set()
            await until(lambda: both_sent(launcher))
    await launcher.work_once()

    assert launcher.channel.addresses() == ["a@example.com", "last@example.com"]
    assert topic.types() == ["launch", "send"] * 2
    assert (await counts(world)).items() >= (FINISHED | {"launched": 2}).items()


async def both_sent(launcher: Launcher) -> bool:
    return len(launcher.channel.sent) == 2


@pytest.mark.promise("P-OPS-13", "P-LAUNCH-33")
async def test_a_launcher_that_is_told_to_stop_waits_a_few_seconds_for_a_broker_that_hangs(
    world: World, hanging: Publisher, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "_GRACE", 0.2)
    await schedule(world, "a@example.com")
    launcher = Launcher(world, Remembering(), hanging)
    working = asyncio.create_task(launcher.work_once())
    await until(lambda: world.pool.fetchval("SELECT launched = 1 FROM launches"))
    launcher.stop.set()
    # Sooner than a broker is given up.
    await asyncio.wait_for(working, 5)

    (group,) = await claim(world)
    assert (group.undone(), group.outbox is not None, group.claims) == ([], True, 1)
