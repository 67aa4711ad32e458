"""The loop that claims due groups, whatever becomes of one of them."""

import asyncio
from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from schemas import metrics
from schemas.settings import Settings
from tests.firing import FINISHED, LEASE, Launcher, Topic, counts, schedule
from tests.launching import Remembering, World
from workers.launcher.channels.slots import Slots
from workers.launcher.claim import claim_loop as claiming
from workers.launcher.claim import claims
from workers.launcher.claim.claim_loop import STUCK, ClaimLoop
from workers.launcher.claim.lane import Lane
from workers.launcher.deliver import holds, sending
from workers.launcher.groups import launches
from workers.launcher.groups.group import Group
from workers.launcher.model import Launch


async def until_finished(world: World) -> None:
    async with asyncio.timeout(10):
        while await world.pool.fetchval("SELECT count(*) FROM launches WHERE finished_at IS NULL"):
            await asyncio.sleep(0.01)


async def until_let_go(launcher: Launcher, claim_loop: ClaimLoop) -> None:
    """Something was sent, and nobody works on its group any more."""
    async with asyncio.timeout(10):
        while not launcher.channel.sent or claim_loop._turns._holds.total():
            await asyncio.sleep(0.01)


async def until_taken_up_and_finished(world: World) -> None:
    # As if the lease were over.
    await world.pool.execute("UPDATE launches SET run_at = now()")
    await until_finished(world)


def loop_of(launcher: Launcher, **changes: Any) -> ClaimLoop:
    settings = Settings(**{"claim_every": timedelta(seconds=0.05), "lease": LEASE} | changes)
    return ClaimLoop(settings, launcher.world.pool, launcher.delivery())


@pytest.mark.promise("P-WATCH-01")
async def test_places_that_nobody_goes_to_any_more_are_forgotten_also_while_nothing_is_sent(
    world: World, topic: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holds, "_FORGOTTEN_AFTER", -1.0)
    launcher = Launcher(world, Remembering(), topic)
    held = launcher.sending._gates["email"]._holds
    held.hold("from old@shop.test", "any")
    async with asyncio.TaskGroup() as loops:
        loops.create_task(loop_of(launcher).run(launcher.stop))
        async with asyncio.timeout(10):
            while held.holding(["from old@shop.test"]):
                await asyncio.sleep(0.01)
        launcher.stop.set()


@pytest.mark.promise("P-WATCH-01")
async def test_how_late_a_group_begins_is_told_of_first_attempts_alone(world: World, topic: Topic) -> None:
    told, late = metrics.LATENESS._buckets[-1], timedelta(hours=-2)
    before = told.get()
    for address in ("a@shop.test", "b@shop.test"):
        await schedule(world, address, batch=await world.batch(due_in=late))
    await world.pool.execute("UPDATE launches SET attempt = 1 WHERE ctid = (SELECT ctid FROM launches LIMIT 1)")
    launcher = Launcher(world, Remembering(), topic)
    async with asyncio.TaskGroup() as loops:
        loops.create_task(loop_of(launcher).run(launcher.stop))
        await until_finished(world)
        launcher.stop.set()

    assert told.get() - before == 1


@pytest.fixture
def looks_once(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whatever else is claimed was due by then, or somebody woke the loop."""
    monkeypatch.setattr(claiming, "LOOK_EVERY", 3600.0)


async def another_turn(claim_loop: ClaimLoop) -> None:
    turned = claim_loop._turned
    async with asyncio.timeout(10):
        while claim_loop._turned == turned:
            await asyncio.sleep(0.01)


@pytest.mark.promise("P-LAUNCH-02")
async def test_a_group_that_falls_due_is_fired_without_being_asked_for(world: World, topic: Topic) -> None:
    sent = asyncio.Event()

    async def tell(_launch: Launch) -> None:
        sent.set()

    launcher = Launcher(world, Remembering(tell), topic)
    async with asyncio.TaskGroup() as loops:
        loops.create_task(loop_of(launcher).run(launcher.stop))
        await schedule(world, "a@example.com", batch=await world.batch(due_in=timedelta(seconds=0.3)))
        await asyncio.wait_for(sent.wait(), 10)
        on_time = await world.pool.fetchval("SELECT now() >= due_at FROM launches")
        launcher.stop.set()

    assert on_time
    assert (await counts(world)).items() >= (FINISHED | {"launched": 1}).items()


@pytest.mark.promise("P-LAUNCH-02")
@pytest.mark.usefixtures("looks_once")
async def test_a_group_is_claimed_at_its_moment_and_not_when_one_asks_again(
    world: World, topic: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    look = claims.look

    async def from_afar(pool: asyncpg.Pool, ahead: timedelta, enough: Sequence[bytes]) -> dict[Lane, float]:
        await asyncio.sleep(0.2)
        return await look(pool, ahead, enough)

    monkeypatch.setattr(claims, "look", from_afar)
    await schedule(world, "a@example.com", batch=await world.batch(due_in=timedelta(seconds=1)))
    launcher = Launcher(world, Remembering(), topic)
    async with asyncio.TaskGroup() as loops:
        loops.create_task(loop_of(launcher, claim_every=timedelta(seconds=3600)).run(launcher.stop))
        await until_finished(world)
        launcher.stop.set()

    assert launcher.channel.addresses() == ["a@example.com"]


@pytest.mark.usefixtures("looks_once")
async def test_a_wake_claims_at_once(world: World, topic: Topic) -> None:
    sent = asyncio.Semaphore(0)

    async def tell(_launch: Launch) -> None:
        sent.release()

    await schedule(world, "first@example.com")
    launcher = Launcher(world, Remembering(tell), topic)
    claim_loop = loop_of(launcher, claim_every=timedelta(seconds=3600))
    async with asyncio.TaskGroup() as loops:
        loops.create_task(claim_loop.run(launcher.stop))
        # The room that the first one leaves wakes the loop, too; after that it rests.
        await asyncio.wait_for(sent.acquire(), 10)
        await until_finished(world)
        await schedule(world, "second@example.com")
        claim_loop.wake({(1, world.trigger)})
        await asyncio.wait_for(sent.acquire(), 10)
        launcher.stop.set()

    assert launcher.channel.addresses() == ["first@example.com", "second@example.com"]


@pytest.mark.promise("P-LAUNCH-34")
async def test_a_trigger_whose_destination_hangs_keeps_no_other_of_its_account_waiting(world: World, topic: Topic) -> None:
    released, passed = asyncio.Event(), asyncio.Event()

    async def hang(launch: Launch) -> None:
        if launch.campaign.trigger == 8:
            await released.wait()
        else:
            passed.set()

    for _ in range(60):
        await schedule(world, "slow@example.com")
    await schedule(world, "quick@example.com", trigger=await world.trigger_of(9))
    # Many can be under way, but few groups are worked on.
    launcher = Launcher(world, Remembering(hang, slots=Slots(200)), topic)
    async with asyncio.TaskGroup() as loops:
        loops.create_task(loop_of(launcher, claim_groups=4).run(launcher.stop))
        await asyncio.wait_for(passed.wait(), 20)
        released.set()
        await until_finished(world)
        launcher.stop.set()

    assert len(launcher.channel.sent) == 61


@pytest.mark.promise("P-LAUNCH-14")
@pytest.mark.usefixtures("looks_once")
async def test_a_slow_group_holds_up_no_other(world: World, topic: Topic) -> None:
    released, passed = asyncio.Event(), asyncio.Event()

    async def take_time(launch: Launch) -> None:
        if launch.recipient.address.startswith("slow"):
            await asyncio.wait_for(released.wait(), 10)
        else:
            passed.set()

    await schedule(world, "slow@example.com")
    for _ in range(3):
        await schedule(world, "a@example.com")
    launcher = Launcher(world, Remembering(take_time), topic)
    async with asyncio.TaskGroup() as loops:
        loops.create_task(loop_of(launcher, claim_groups=4, claim_every=timedelta(seconds=3600)).run(launcher.stop))
        await asyncio.wait_for(passed.wait(), 10)
        released.set()
        await until_finished(world)
        launcher.stop.set()

    assert len(launcher.channel.sent) == 4


async def test_no_more_groups_are_held_than_can_be_worked_on(world: World, topic: Topic) -> None:
    begun, released = asyncio.Event(), asyncio.Event()

    async def wait(_launch: Launch) -> None:
        begun.set()
        await asyncio.wait_for(released.wait(), 10)

    for _ in range(3):
        await schedule(world, "a@example.com")
    launcher = Launcher(world, Remembering(wait), topic)
    claim_loop = loop_of(launcher, claim_groups=16, page=1)
    async with asyncio.TaskGroup() as loops:
        loops.create_task(claim_loop.run(launcher.stop))
        await asyncio.wait_for(begun.wait(), 10)
        for _ in range(2):
            await another_turn(claim_loop)
        held = await world.pool.fetchval("SELECT count(*) FROM launches WHERE fence > 0")
        launcher.stop.set()
        released.set()

    assert held == 2


@pytest.mark.promise("P-OPS-15")
async def test_the_loop_waits_for_a_database_that_cannot_answer_and_goes_on_by_itself(world: World, topic: Topic) -> None:
    sent = asyncio.Event()

    async def tell(_launch: Launch) -> None:
        sent.set()

    await schedule(world, "a@example.com")
    await world.pool.execute("ALTER TABLE launches RENAME TO gone")
    launcher = Launcher(world, Remembering(tell), topic)
    claim_loop = loop_of(launcher)
    async with asyncio.TaskGroup() as loops:
        loops.create_task(claim_loop.run(launcher.stop))
        async with asyncio.timeout(10):
            while not claim_loop.problems():
                await asyncio.sleep(0.01)
        await world.pool.execute("ALTER TABLE gone RENAME TO launches")
        await asyncio.wait_for(sent.wait(), 10)
        launcher.stop.set()

    assert (claim_loop.problems(), claim_loop.alive()) == ([], [])


@pytest.mark.promise("P-LAUNCH-16")
async def test_the_loop_goes_on_after_a_lease_was_lost_and_counts_it(world: World, topic: Topic) -> None:
    async def freeze(_launch: Launch) -> None:
        if not launcher.channel.sent:
            # Somebody claimed it, and died.
            await world.pool.execute("UPDATE launches SET fence = fence + 1")

    await schedule(world, "a@example.com")
    launcher = Launcher(world, Remembering(freeze), topic)
    before = metrics.LEASES_LOST._value.get()
    async with asyncio.TaskGroup() as loops:
        claim_loop = loop_of(launcher)
        loops.create_task(claim_loop.run(launcher.stop))
        await until_let_go(launcher, claim_loop)
        await until_taken_up_and_finished(world)
        launcher.stop.set()

    assert metrics.LEASES_LOST._value.get() - before == 1
    assert topic.types() == ["launch", "send"]


@pytest.mark.promise("P-OPS-15")
async def test_a_group_that_the_database_interrupted_is_taken_up_again(world: World, topic: Topic) -> None:
    async def break_database(_launch: Launch) -> None:
        if not launcher.channel.sent:
            await world.pool.execute("ALTER TABLE results RENAME TO gone")

    await schedule(world, "a@example.com")
    launcher = Launcher(world, Remembering(break_database), topic)
    claim_loop = loop_of(launcher)
    async with asyncio.TaskGroup() as loops:
        loops.create_task(claim_loop.run(launcher.stop))
        await until_let_go(launcher, claim_loop)
        await world.pool.execute("ALTER TABLE gone RENAME TO results")
        await until_taken_up_and_finished(world)
        launcher.stop.set()

    assert topic.types() == ["launch", "send"]


@pytest.mark.promise("P-HTTP-30")
async def test_a_loop_that_does_not_turn_is_told_at_the_health_port(world: World, topic: Topic) -> None:
    claim_loop = loop_of(Launcher(world, Remembering(), topic))
    before, claim_loop._turned = claim_loop.alive(), claim_loop._turned - STUCK

    assert (before, claim_loop.alive()) == ([], ["the claim loop has not turned for 90 s"])


@pytest.mark.promise("P-LAUNCH-31")
async def test_an_account_with_much_due_keeps_another_ones_launch_from_nothing(world: World, topic: Topic) -> None:
    released, passed = asyncio.Event(), asyncio.Event()

    async def take_time(launch: Launch) -> None:
        if launch.campaign.account == 1:
            await asyncio.wait_for(released.wait(), 20)
        passed.set()

    for _ in range(20):
        await schedule(world, "a@example.com")
    await world.pool.execute("INSERT INTO accounts (id, name) VALUES (2, 'polite')")
    polite = await schedule(world, "polite@example.com")
    await world.pool.execute("UPDATE batches SET account = 2 WHERE id = $1", polite)
    await world.pool.execute("UPDATE launches SET account = 2, run_at = now(), due_at = now() WHERE batch = $1", polite)
    launcher = Launcher(world, Remembering(take_time), topic)
    async with asyncio.TaskGroup() as loops:
        loops.create_task(loop_of(launcher).run(launcher.stop))
        # Long before the others let their slots go.
        await asyncio.wait_for(passed.wait(), 10)
        first = launcher.channel.addresses()
        released.set()
        await until_finished(world)
        launcher.stop.set()

    assert first == ["polite@example.com"]


@pytest.mark.promise("P-WATCH-01")
async def test_it_is_told_how_long_a_group_is_due_that_nobody_claims(world: World, topic: Topic) -> None:
    await schedule(world, "a@example.com")
    await world.pool.execute("UPDATE launches SET run_at = now() - interval '1 minute'")
    launcher = Launcher(world, Remembering(), topic)
    claim_loop = loop_of(launcher)
    await claim_loop._look()
    waited = metrics.OVERDUE._value.get()
    await world.pool.execute("UPDATE launches SET run_at = now() + interval '1 second'")
    await claim_loop._look()

    assert 60 <= waited < 120
    assert str(metrics.OVERDUE._value.get()) == "0.0"


@pytest.mark.promise("P-LAUNCH-43")
async def test_launchers_share_what_falls_due_of_one_trigger(world: World, topic: Topic) -> None:
    released = asyncio.Event()
    begun = asyncio.Semaphore(0)

    async def wait(_launch: Launch) -> None:
        begun.release()
        await asyncio.wait_for(released.wait(), 10)

    for _ in range(4):
        await schedule(world, "a@example.com")
    launchers = [Launcher(world, Remembering(wait), topic) for _ in range(2)]
    async with asyncio.TaskGroup() as loops, asyncio.timeout(10):
        for launcher in launchers:
            loops.create_task(loop_of(launcher, claim_groups=16, page=1).run(launcher.stop))
        for _ in range(4):
            await begun.acquire()
        released.set()
        await until_finished(world)
        for launcher in launchers:
            launcher.stop.set()

    assert [len(launcher.channel.sent) for launcher in launchers] == [2, 2]


@pytest.mark.promise("P-LAUNCH-43")
async def test_a_group_that_goes_on_for_long_makes_room_for_the_next_of_its_trigger(
    world: World, topic: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "_LOOK_EVERY", 0.1)

    async def slowly(_launch: Launch) -> None:
        await asyncio.sleep(0.02)

    # At each look some have ended, so that it never only waits.
    for _ in range(3):
        await schedule(world, *["a@example.com"] * 40)
    launcher = Launcher(world, Remembering(slowly, slots=Slots(2)), topic)
    async with asyncio.TaskGroup() as loops, asyncio.timeout(20):
        loops.create_task(loop_of(launcher, claim_groups=16, page=40).run(launcher.stop))
        while await world.pool.fetchval("SELECT count(*) FROM launches WHERE fence > 0") < 3:
            await asyncio.sleep(0.01)
        finished = await world.pool.fetchval("SELECT count(*) FROM launches WHERE finished_at IS NOT NULL")
        launcher.stop.set()

    assert not finished


@pytest.mark.promise("P-LAUNCH-28")
async def test_a_group_that_cannot_be_finished_at_once_cuts_off_none_of_those_beside_it(
    world: World, topic: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "_LOOK_EVERY", 0.05)
    finish, refused, begun = launches.finish, asyncio.Event(), Counter[str]()

    async def finished(connection: asyncpg.Connection, groups: Sequence[Group]) -> Sequence[bool]:
        if not refused.is_set():
            refused.set()
            raise asyncpg.LockNotAvailableError("canceling statement due to lock timeout")
        return await finish(connection, groups)

    async def slowly(launch: Launch) -> None:
        begun[launch.recipient.address] += 1
        if launch.recipient.address == "slow@example.com":
            await asyncio.wait_for(refused.wait(), 10)
            # Past the look that could not finish the other one.
            await asyncio.sleep(0.2)

    monkeypatch.setattr(launches, "finish", finished)
    for name in ("quick", "slow"):
        await schedule(world, f"{name}@example.com")
    launcher = Launcher(world, Remembering(slowly), topic)
    async with asyncio.TaskGroup() as loops:
        loops.create_task(loop_of(launcher).run(launcher.stop))
        await until_finished(world)
        launcher.stop.set()

    assert begun == {"quick@example.com": 1, "slow@example.com": 1}
