"""Launches that wait for their pace: what happens meanwhile is no end of theirs, and keeps no others waiting."""

import asyncio
import math
from dataclasses import replace
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from schemas.messages import TriggerStart
from store.cancelling import Which, cancel
from tests.firing import Launcher, Topic, claim, counts, schedule
from tests.launching import Remembering, World, claimed, matched
from tests.postgres.firing.test_loop import looks_once, loop_of, until_finished
from workers.launcher.channels.slots import Slots
from workers.launcher.claim.bundles import bundles
from workers.launcher.claim.lane import Lane
from workers.launcher.claim.parking import Parking
from workers.launcher.deliver import paces, sending
from workers.launcher.deliver.paces import Limit, Paces
from workers.launcher.groups import launches
from workers.launcher.groups.group import started_by
from workers.launcher.model import Launch

__all__ = ["looks_once"]


class Restarting:
    """A pool whose server is on its way up for the first statements."""

    def __init__(self, pool: asyncpg.Pool, times: int) -> None:
        self._pool = pool
        self._times = times

    async def fetchrow(self, *statement: Any) -> Any:
        if self._times:
            self._times -= 1
            raise asyncpg.CannotConnectNowError("the database system is starting up")
        return await self._pool.fetchrow(*statement)

    async def execute(self, *statement: Any) -> Any:
        return await self._pool.execute(*statement)


@pytest.mark.promise("P-LAUNCH-38", "P-OPS-15")
async def test_a_database_that_is_away_ends_no_launch_that_waits_for_its_pace(
    world: World, topic: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(paces, "_ASKED_AGAIN_AFTER", 0.01)
    await world.pool.execute("UPDATE triggers SET pace = 60000")
    await schedule(world, *["a@example.com"] * 40)
    launcher = Launcher(world, Remembering(), topic)
    launcher.sending._paces = Paces(Restarting(world.pool, 50))
    await launcher.work_once()

    found = await counts(world)
    assert (found["launched"], found["failed"], found["finished"]) == (40, 0, True)


@pytest.mark.promise("P-LAUNCH-38")
async def test_a_pace_that_was_mistaken_is_corrected_while_launches_wait_for_it(world: World, topic: Topic) -> None:
    async def correct(_: Launch) -> None:
        await world.pool.execute("UPDATE triggers SET pace = 60000")

    # One in a minute.
    await world.pool.execute("UPDATE triggers SET pace = 1")
    await schedule(world, *["a@example.com"] * 6)
    launcher = Launcher(world, Remembering(correct), topic)
    async with asyncio.timeout(20):
        await launcher.work_once()

    assert len(launcher.channel.sent) == 6


@pytest.mark.promise("P-LAUNCH-38", "P-LAUNCH-41")
@pytest.mark.parametrize("limit", ["UPDATE triggers SET pace = 1", "UPDATE triggers SET spread = 60"])
async def test_what_is_taken_back_waits_for_no_pace(world: World, topic: Topic, limit: str, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(paces, "_LONGEST", 3600.0)

    async def take_back(_: Launch) -> None:
        async with world.pool.acquire() as connection:
            await cancel(connection, Which(1, batch=batch))

    await world.pool.execute(limit)
    batch = await schedule(world, *["a@example.com"] * 6)
    launcher = Launcher(world, Remembering(take_back), topic)
    async with asyncio.timeout(20):
        await launcher.work_once()

    assert topic.types() == ["launch", "send", *["cancel"] * 5]


@pytest.mark.promise("P-LAUNCH-38")
async def test_who_does_not_go_any_more_takes_nothing_of_a_pace_and_gives_nothing_away(world: World) -> None:
    limit, launcher = Limit("trigger 1", 1 / 3600), Paces(world.pool)
    gone, asked = asyncio.Event(), asyncio.Semaphore(0)

    def still() -> Limit:
        asked.release()
        return limit

    await launcher.wait(limit.name, lambda: limit)
    goes = asyncio.create_task(launcher.wait(limit.name, lambda: None if gone.is_set() else limit))
    stays = asyncio.create_task(launcher.wait(limit.name, still))
    await asyncio.sleep(0)
    gone.set()
    async with asyncio.timeout(10):
        await goes
        for _ in range(3):
            await asked.acquire()

    assert not stays.done()
    stays.cancel()


@pytest.mark.promise("P-LAUNCH-38")
async def test_whoever_stands_in_line_hears_that_he_goes_no_more(world: World) -> None:
    limit, launcher, gone = Limit("trigger 1", 1 / 3600), Paces(world.pool), asyncio.Event()
    await launcher.wait(limit.name, lambda: limit)
    before = [asyncio.create_task(launcher.wait(limit.name, lambda: limit)) for _ in range(3)]
    behind = asyncio.create_task(launcher.wait(limit.name, lambda: None if gone.is_set() else limit))
    await asyncio.sleep(0)
    gone.set()
    async with asyncio.timeout(10):
        await behind

    assert not any(each.done() for each in before)
    for each in before:
        each.cancel()


@pytest.mark.promise("P-LAUNCH-38")
async def test_batches_that_are_spread_begin_together(world: World, topic: Topic) -> None:
    await world.pool.execute("UPDATE triggers SET spread = 1")
    names = {f"{name}@example.com" for name in ("one", "two", "three")}
    for name in names:
        await schedule(world, *[name] * 30)
    launcher = Launcher(world, Remembering(), topic)
    async with asyncio.TaskGroup() as loops, asyncio.timeout(20):
        loops.create_task(loop_of(launcher, claim_groups=16, page=400).run(launcher.stop))
        while {*launcher.channel.addresses()} != names:
            await asyncio.sleep(0.01)
        launcher.stop.set()

    assert len(launcher.channel.sent) < 30


@pytest.mark.promise("P-LAUNCH-38", "P-LAUNCH-42")
async def test_single_launches_are_spread_over_nothing_and_go_together(world: World, topic: Topic) -> None:
    await world.pool.execute("UPDATE triggers SET spread = 60")
    for _ in range(3):
        await schedule(world, "a@example.com")
    launcher = Launcher(world, Remembering(), topic)
    groups = await claim(world)
    await launcher.work(*groups)

    assert list(bundles(groups, 400)) == [groups]
    assert not await world.pool.fetchval("SELECT count(*) FROM paces")


@pytest.mark.promise("P-LAUNCH-43")
async def test_a_batch_that_is_spread_keeps_the_others_of_its_trigger_from_nothing(
    world: World, topic: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "_LOOK_EVERY", 0.1)
    await world.pool.execute("UPDATE triggers SET spread = 60")
    for name in ("one", "two"):
        await schedule(world, *[f"{name}@example.com"] * 60)
    launcher = Launcher(world, Remembering(), topic)
    async with asyncio.TaskGroup() as loops, asyncio.timeout(20):
        claim_loop = loop_of(launcher, claim_groups=16, page=400)
        loops.create_task(claim_loop.run(launcher.stop))
        # Both only wait by now.
        while claim_loop._turns._parking.all() < 2:
            await asyncio.sleep(0.01)
        await schedule(world, "three@example.com")
        while "three@example.com" not in launcher.channel.addresses():
            await asyncio.sleep(0.01)
        launcher.stop.set()

    assert len(launcher.channel.sent) < 60


async def pages(world: World, count: int, size: int, total: int) -> bytes:
    """A batch with so many groups of so many launches, though it says that it has more."""
    batch = await world.batch(total=total)
    found = await world.profiles(*["many@example.com"] * (count * size))
    start = [TriggerStart(trigger=world.trigger)]
    each = [matched(batch, {item: found[item] for item in range(at, at + size)}, start) for at in range(0, count * size, size)]
    async with world.pool.acquire() as connection:
        await launches.insert(connection, started_by(each))
    return batch


@pytest.mark.promise("P-LAUNCH-34", "P-LAUNCH-43")
async def test_a_large_batch_that_is_spread_is_claimed_little_by_little(
    world: World, topic: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    """So neither its trigger's other batches, nor the account's other triggers pay for it."""
    monkeypatch.setattr(sending, "_LOOK_EVERY", 0.05)
    await world.pool.execute("UPDATE triggers SET spread = 60")
    other = await world.trigger_of(9)
    many = await pages(world, 40, 4, 160)
    launcher = Launcher(world, Remembering(), topic)
    async with asyncio.TaskGroup() as loops, asyncio.timeout(20):
        claim_loop = loop_of(launcher, claim_groups=8, page=4)
        loops.create_task(claim_loop.run(launcher.stop))
        while not claim_loop._turns._parking.all():
            await asyncio.sleep(0.01)
        for name, trigger in (("single", world.trigger), ("other", other)):
            await schedule(world, f"{name}@example.com", trigger=trigger)
        while not {"single@example.com", "other@example.com"} <= {*launcher.channel.addresses()}:
            await asyncio.sleep(0.01)
        taken = await world.pool.fetchval("SELECT count(*) FROM launches WHERE batch = $1 AND fence > 0", many)
        launcher.stop.set()

    # By the first claim, which does not know yet that they are spread.
    assert taken <= 2


@pytest.mark.promise("P-LAUNCH-38", "P-LAUNCH-43")
@pytest.mark.usefixtures("looks_once")
async def test_the_next_of_them_are_claimed_as_soon_as_those_before_are_nearly_over(world: World, topic: Topic) -> None:
    await world.pool.execute("UPDATE triggers SET spread = 1")
    # A thousand a second.
    await pages(world, 20, 10, 60_000)
    launcher = Launcher(world, Remembering(), topic)
    async with asyncio.TaskGroup() as loops:
        loops.create_task(loop_of(launcher, claim_groups=16, page=10, claim_every=timedelta(hours=1)).run(launcher.stop))
        await until_finished(world)
        launcher.stop.set()

    assert len(launcher.channel.sent) == 200


@pytest.mark.promise("P-LAUNCH-34")
@pytest.mark.parametrize("limit", ["UPDATE triggers SET pace = 6000", "UPDATE triggers SET spread = 1"], ids=["pace", "spread"])
async def test_what_goes_by_a_pace_needs_no_slot_however_many_go(
    world: World, topic: Topic, limit: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "_LOOK_EVERY", 0.2)
    await world.pool.execute(limit)
    # A hundred a second, so that some go between two looks.
    await pages(world, 1, 400, 6_000)
    launcher = Launcher(world, Remembering(), topic)
    async with asyncio.TaskGroup() as loops, asyncio.timeout(20):
        claim_loop = loop_of(launcher, claim_groups=16, page=400)
        loops.create_task(claim_loop.run(launcher.stop))
        while not claim_loop._turns._parking.all():
            await asyncio.sleep(0.01)
        left = 400 - len(launcher.channel.sent)
        launcher.stop.set()

    assert left > 200


@pytest.mark.promise("P-LAUNCH-34", "P-LAUNCH-38")
async def test_what_waits_for_a_pace_and_finds_no_place_for_that_comes_again_later(
    world: World, topic: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "_LOOK_EVERY", 0.1)
    await world.pool.execute("UPDATE triggers SET pace = 1")
    await schedule(world, *["a@example.com"] * 3)
    launcher = Launcher(world, Remembering(), topic)
    async with asyncio.TaskGroup() as loops, asyncio.timeout(20):
        claim_loop = loop_of(launcher, lease=timedelta(hours=1))
        claim_loop._turns._parking = Parking(0)
        loops.create_task(claim_loop.run(launcher.stop))
        # Neither at once, nor when its lease is over.
        while not await world.pool.fetchval("SELECT run_at - now() BETWEEN '20 seconds' AND '40 seconds' FROM launches"):
            await asyncio.sleep(0.01)
        while claim_loop._turns._holds:
            await asyncio.sleep(0.01)
        launcher.stop.set()

    assert len(launcher.channel.sent) == 1
    assert (await counts(world)).items() >= {"launched": 1, "failed": 0, "finished": False}.items()


@pytest.mark.promise("P-LAUNCH-34")
async def test_what_waits_for_a_slow_destination_and_finds_no_place_stays(
    world: World, topic: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "_LOOK_EVERY", 0.05)

    async def slowly(_: Launch) -> None:
        await asyncio.sleep(0.2)

    await schedule(world, *["a@example.com"] * 3)
    launcher = Launcher(world, Remembering(slowly, slots=Slots(2)), topic)
    async with asyncio.TaskGroup() as loops:
        claim_loop = loop_of(launcher)
        claim_loop._turns._parking = Parking(0)
        loops.create_task(claim_loop.run(launcher.stop))
        await until_finished(world)
        launcher.stop.set()

    assert await world.pool.fetchval("SELECT fence FROM launches") == 1


@pytest.mark.promise("P-LAUNCH-43")
async def test_a_trigger_is_asked_again_as_soon_as_more_of_what_is_spread_may_be_claimed(world: World, topic: Topic) -> None:
    # Of which an eighth is read at a time.
    claim_loop, lane = loop_of(Launcher(world, Remembering(), topic), page=80), Lane(1, world.trigger)
    slot = claim_loop._hold(replace(claimed(20, trigger=world.trigger), is_spread=True), lane, 10)
    claim_loop._turns.took({lane: [10]})
    asked = []
    for left in (15, 9):
        # Nothing else of it was seen.
        slot.looked(left, 0, came=False)
        asked.append([*claim_loop._turns.asked(math.inf)])

    assert asked == [[], [lane]]


@pytest.mark.promise("P-LAUNCH-43")
async def test_a_single_goes_between_the_many_of_a_slow_destination(world: World, topic: Topic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "_LOOK_EVERY", 0.05)
    released = asyncio.Event()

    async def slowly(launch: Launch) -> None:
        if launch.recipient.address == "many@example.com":
            await asyncio.wait_for(released.wait(), 15)

    await schedule(world, *["many@example.com"] * 100)
    launcher = Launcher(world, Remembering(slowly, slots=Slots(16)), topic)
    async with asyncio.TaskGroup() as loops, asyncio.timeout(20):
        claim_loop = loop_of(launcher, claim_groups=16, page=400)
        loops.create_task(claim_loop.run(launcher.stop))
        while not claim_loop._turns._parking.all():
            await asyncio.sleep(0.01)
        await schedule(world, "single@example.com")
        # It is claimed, however many of the others wait.
        while await world.pool.fetchval("SELECT count(*) FROM launches WHERE fence > 0") < 2:
            await asyncio.sleep(0.01)
        begun = len(launcher.channel.sent)
        released.set()
        while "single@example.com" not in launcher.channel.addresses():
            await asyncio.sleep(0.01)
        launcher.stop.set()

    assert not begun
