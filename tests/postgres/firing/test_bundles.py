"""Groups that go together: each ends as if it were alone."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

import asyncpg
import pytest

from schemas.topics import Outgoing
from tests.firing import FINISHED, LEASE, Launcher, Topic, claim, counts, schedule
from tests.launching import Remembering, World
from tests.postgres.firing.test_loop import loop_of, until_finished
from workers.launcher.channels.channel import Deferred, Rejected
from workers.launcher.channels.slots import Slots
from workers.launcher.claim import claim_loop
from workers.launcher.clock import clock
from workers.launcher.deliver import profiles, sending
from workers.launcher.groups.leases import Lease
from workers.launcher.groups.naming import LeaseLost
from workers.launcher.model import Launch

# A key that no text of Postgres' holds, so that nothing can be read of it.
_UNREADABLE = """
INSERT INTO results (batch, chunk, items, profiles, errors, custom_data) VALUES ($1, 0, '{0}', $2, '{}', '{"\\u0000": 1}'::json)
"""
_THEIRS = "SELECT launched, finished_at IS NOT NULL AS finished FROM launches WHERE batch = $1"


@dataclass
class Counting(Topic):
    """Also keeps how many records were published at a time."""

    lots: list[int] = field(default_factory=list)

    async def publish(self, records: Sequence[Outgoing]) -> None:
        self.lots.append(len(records))
        await super().publish(records)


@pytest.mark.promise("P-LAUNCH-42")
async def test_singles_of_many_batches_end_together_and_each_for_itself(world: World) -> None:
    async def refuse(launch: Launch) -> None:
        if launch.recipient.address.startswith("bad"):
            raise Rejected("550 no")
        if launch.recipient.address.startswith("later"):
            raise Deferred("450 later")

    for name in ("a", "bad", "later", "b"):
        await schedule(world, f"{name}@example.com")
    topic = Counting()
    launcher = Launcher(world, Remembering(refuse), topic)
    await launcher.work_once()

    assert launcher.channel.addresses() == ["a@example.com", "b@example.com"]
    assert (await counts(world)).items() >= {"launched": 2, "failed": 1, "finished": False}.items()
    # What was left by nobody, then all at once: of each its launch, and its end but of the one that goes on.
    assert topic.lots == [0, 7]


@pytest.mark.promise("P-LAUNCH-16")
async def test_a_group_that_another_launcher_took_over_is_lost_alone(world: World, topic: Topic) -> None:
    lost = await schedule(world, "lost@example.com")
    kept = await schedule(world, "kept@example.com")

    async def freeze(_launch: Launch) -> None:
        await world.pool.execute("UPDATE launches SET fence = fence + 1 WHERE batch = $1 AND fence = 1", lost)

    with pytest.raises(LeaseLost):
        await Launcher(world, Remembering(freeze), topic).work_once()

    assert (await world.pool.fetchrow(_THEIRS, lost), await world.pool.fetchrow(_THEIRS, kept)) == ((0, False), (1, True))
    assert {event["event_data"]["batch_id"] for event in topic.events()} == {kept.hex()}


@pytest.mark.promise("P-LAUNCH-16", "P-LAUNCH-15")
async def test_nothing_begins_of_a_group_that_a_renewal_found_lost(world: World, topic: Topic) -> None:
    kept = await schedule(world, "kept@example.com")
    lost = await schedule(world, "lost@example.com", "lost-too@example.com")
    # The smaller one first.
    groups = await claim(world, timedelta(seconds=14))
    lease = Lease(LEASE, clock() - 16, groups)

    async def until_renewed(_launch: Launch) -> None:
        async with asyncio.timeout(10):
            while not lease.lost:
                await asyncio.sleep(0.01)

    await world.pool.execute("UPDATE launches SET fence = fence + 1, run_at = now() WHERE batch = $1", lost)
    launcher = Launcher(world, Remembering(until_renewed, slots=Slots(1)), topic)
    with pytest.raises(LeaseLost):
        await launcher.delivery().work(groups, lease, lambda *_: True, launcher.stop)

    assert launcher.channel.addresses() == ["kept@example.com"]
    assert await world.pool.fetchval("SELECT run_at <= now() FROM launches WHERE batch = $1", lost)
    assert (await world.pool.fetchrow(_THEIRS, kept)) == (1, True)


@pytest.mark.promise("P-LAUNCH-29")
async def test_who_is_over_is_finished_while_a_slow_one_is_under_way(world: World, topic: Topic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "_LOOK_EVERY", 0.05)
    released = asyncio.Event()

    async def take_time(launch: Launch) -> None:
        if launch.recipient.address.startswith("slow"):
            await released.wait()

    await schedule(world, "slow@example.com")
    quick = await schedule(world, "quick@example.com")
    working = asyncio.create_task(Launcher(world, Remembering(take_time), topic).work_once())
    async with asyncio.timeout(10):
        while not (await world.pool.fetchrow(_THEIRS, quick))["finished"]:
            await asyncio.sleep(0.01)
    released.set()
    await working

    assert (await counts(world)).items() >= (FINISHED | {"launched": 2}).items()


@pytest.mark.promise("P-LAUNCH-14", "P-LAUNCH-26")
async def test_a_group_that_cannot_be_read_goes_alone_the_next_time(world: World, topic: Topic, monkeypatch: pytest.MonkeyPatch) -> None:
    # Its own rest; nobody else has one.
    monkeypatch.setattr(claim_loop, "_PAUSE", timedelta(hours=1))
    odd = await schedule(world, "odd@example.com")
    await world.pool.execute(_UNREADABLE, odd, b"\x07" * 12)
    for name in "abc":
        await schedule(world, f"{name}@example.com")
    launcher = Launcher(world, Remembering(), topic)
    async with asyncio.TaskGroup() as loops:
        loops.create_task(loop_of(launcher).run(launcher.stop))
        async with asyncio.timeout(20):
            while await world.pool.fetchval("SELECT count(*) FROM launches WHERE finished_at IS NULL") > 1:
                await asyncio.sleep(0.01)
            # Tried alone by then.
            while not await world.pool.fetchval("SELECT run_at > now() + interval '50 minutes' FROM launches WHERE batch = $1", odd):
                await asyncio.sleep(0.01)
        await world.pool.execute("UPDATE results SET custom_data = '{}' WHERE batch = $1", odd)
        await world.pool.execute("UPDATE launches SET run_at = now() WHERE batch = $1", odd)
        await until_finished(world)
        launcher.stop.set()

    assert sorted(launcher.channel.addresses()) == [f"{name}@example.com" for name in ("a", "b", "c", "odd")]


@pytest.mark.promise("P-LAUNCH-26")
async def test_a_launch_that_kills_is_found_among_singles_and_fails_alone(world: World, topic: Topic) -> None:
    killer = await schedule(world, "killer@example.com")
    for name in "abcd":
        await schedule(world, f"{name}@example.com")
    launcher = Launcher(world, Remembering(), topic)
    deaths = 0
    while not (await counts(world))["finished"]:
        await world.pool.execute("UPDATE launches SET run_at = now() WHERE finished_at IS NULL")
        groups = await claim(world)
        together = [group for group in groups if group.is_plain()]
        for bundle in [together, *([group] for group in groups if not group.is_plain())]:
            if any(group.batch == killer and not group.claims > 3 for group in bundle):
                deaths += 1
            elif bundle:
                await launcher.work(*bundle)

    assert deaths == 3
    assert sorted(launcher.channel.addresses()) == [f"{name}@example.com" for name in "abcd"]
    assert (await counts(world)).items() >= {"launched": 4, "failed": 1}.items()


@pytest.mark.promise("P-LAUNCH-14")
async def test_large_profiles_are_read_a_few_at_a_time_also_of_many_groups(
    world: World, topic: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    # Less than two of them.
    monkeypatch.setattr(profiles, "BYTES", 150)
    load, most = profiles.load, 0

    async def watched(connection: asyncpg.Connection, pages: Sequence[profiles.Wanted]) -> list[list[profiles.Stored]]:
        nonlocal most
        found = await load(connection, pages)
        most = max(most, sum(map(len, found)))
        return found

    monkeypatch.setattr(profiles, "load", watched)
    names = [f"{number}{'x' * 60}@example.com" for number in range(6)]
    for name in names[:3]:
        await schedule(world, name)
    await schedule(world, *names[3:])
    launcher = Launcher(world, Remembering(), topic)

    await launcher.work_once()

    assert sorted(launcher.channel.addresses()) == sorted(names)
    assert most == 1
