"""A launcher whose marks find no room, or a database that takes no writes."""

import asyncio
from datetime import timedelta

import pytest
from structlog.testing import capture_logs

from tests.firing import FINISHED, LEASE, Launcher, Topic, claim, counts, schedule
from tests.launching import Remembering, World
from workers.launcher.deliver import delivery
from workers.launcher.model import Launch

REFUSED = """
CREATE FUNCTION refused() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no' USING ERRCODE = '{}'; END $$;
CREATE TRIGGER refused BEFORE UPDATE OF done ON launches FOR EACH ROW EXECUTE FUNCTION refused();
"""
FULL_DISK = REFUSED.format("disk_full")
READ_ONLY = REFUSED.format("read_only_sql_transaction")


@pytest.mark.promise("P-OPS-26")
@pytest.mark.parametrize("why", [FULL_DISK, READ_ONLY], ids=["a full disk", "no writes"])
async def test_what_is_sent_is_not_sent_again_because_its_mark_is_refused(world: World, topic: Topic, why: str) -> None:
    await schedule(world, "a@example.com")
    await world.pool.execute(why)
    launcher = Launcher(world, Remembering(), topic)
    working = await until_mark_waits(launcher, times=1)
    await world.pool.execute("DROP TRIGGER refused ON launches")
    await working

    assert launcher.channel.addresses() == ["a@example.com"]
    assert topic.types() == ["launch", "send"]
    assert (await counts(world)).items() >= (FINISHED | {"launched": 1}).items()


@pytest.mark.promise("P-OPS-26")
async def test_a_launcher_that_waits_for_room_keeps_its_group(world: World, topic: Topic) -> None:
    await schedule(world, "a@example.com")
    await world.pool.execute(FULL_DISK)
    # Over before the fourth try, were it not renewed.
    launcher = Launcher(world, Remembering(), topic, lease=timedelta(seconds=2))
    working = await until_mark_waits(launcher, times=4)
    claimed_by_another = await claim(world, LEASE, 10)
    await world.pool.execute("DROP TRIGGER refused ON launches")
    await working

    assert claimed_by_another == []
    assert launcher.channel.addresses() == ["a@example.com"]


async def until_mark_waits(launcher: Launcher, times: int) -> asyncio.Task[None]:
    with capture_logs() as logs:
        working = asyncio.create_task(launcher.work_once())
        async with asyncio.timeout(20):
            while sum(entry["event"] == "mark_waits" for entry in logs) < times:
                await asyncio.sleep(0.01)
    return working


@pytest.mark.promise("P-OPS-13")
async def test_a_launcher_that_is_told_to_stop_does_not_wait_for_room(world: World, topic: Topic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(delivery, "_GRACE", 0.5)

    async def be_told_to_stop(_launch: Launch) -> None:
        launcher.stop.set()

    await schedule(world, "a@example.com")
    await world.pool.execute(FULL_DISK)
    launcher = Launcher(world, Remembering(be_told_to_stop), topic)

    await asyncio.wait_for(launcher.work_once(), 10)

    assert len(await claim(world)) == 1
