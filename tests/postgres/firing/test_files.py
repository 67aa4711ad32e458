"""Groups whose files wait for room."""

import asyncio
from datetime import timedelta

import pytest

from schemas.settings import MIB
from tests.firing import FINISHED, Launcher, Topic, counts, schedule
from tests.launching import Remembering, World
from tests.postgres.firing.test_loop import loop_of
from workers.launcher.deliver.enclosures import ByteBudget

pytestmark = pytest.mark.promise("P-LAUNCH-25")


async def scheduled(world: World) -> None:
    batch = await world.batch()
    await world.pool.execute("INSERT INTO attachments (batch, position, name, mimetype, data) VALUES ($1, 0, 'a', 'a/b', 'x')", batch)
    await schedule(world, "ann@example.com", batch=batch)


async def waiting(world: World, launcher: Launcher) -> tuple[ByteBudget, asyncio.Task[None]]:
    """A launcher whose room is taken, and that works on a group with a file."""
    room = launcher.enclosures._budget
    await room.take(2, MIB)
    await scheduled(world)
    return room, asyncio.create_task(launcher.work_once())


async def renewed(world: World, times: int) -> None:
    """Until the group's lease was renewed so often."""
    leases = set[object]()
    async with asyncio.timeout(30):
        while len(leases) <= times:
            leases.add(await world.pool.fetchval("SELECT run_at FROM launches WHERE fence > 0"))
            await asyncio.sleep(0.05)


async def test_a_group_that_waits_for_room_keeps_its_lease_however_long(world: World, topic: Topic) -> None:
    launcher = Launcher(world, Remembering(), topic, lease=timedelta(seconds=4))
    room, working = await waiting(world, launcher)

    await renewed(world, 2)
    assert not working.done()
    room.give_back(2, MIB)
    await working

    assert [bool(sent.campaign.enclosed) for sent in launcher.channel.sent] == [True]
    assert (await counts(world)).items() >= FINISHED.items()


async def test_a_launcher_that_is_told_to_stop_waits_for_no_room_and_sends_no_mail_without_its_files(world: World, topic: Topic) -> None:
    launcher = Launcher(world, Remembering(), topic)
    _, working = await waiting(world, launcher)
    await asyncio.sleep(0)
    launcher.stop.set()

    await asyncio.wait_for(working, 10)

    assert launcher.channel.sent == []
    assert await world.pool.fetchval("SELECT finished_at IS NULL AND run_at <= now() FROM launches")


@pytest.mark.promise("P-LAUNCH-34")
async def test_a_group_that_waits_for_room_needs_no_slot(world: World, topic: Topic) -> None:
    launcher = Launcher(world, Remembering(), topic)
    await launcher.enclosures._budget.take(2, MIB)
    await scheduled(world)
    async with asyncio.TaskGroup() as loops, asyncio.timeout(20):
        claim_loop = loop_of(launcher)
        loops.create_task(claim_loop.run(launcher.stop))
        while not claim_loop._turns._parking.all():
            await asyncio.sleep(0.01)
        held = claim_loop._turns._holds.total()
        launcher.enclosures._budget.give_back(2, MIB)
        while not launcher.channel.sent:
            await asyncio.sleep(0.01)
        launcher.stop.set()

    assert held == 0
