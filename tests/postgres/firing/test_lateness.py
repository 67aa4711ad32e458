"""Only a group that begins says how late it is: whatever comes after its first claim keeps its due time, and says nothing."""

from datetime import timedelta

import pytest

from profuse import failures
from schemas.settings import Settings
from tests.firing import Launcher, Topic, claim, schedule
from tests.launching import Remembering, World
from workers.launcher.channels.channel import Deferred, Rejected
from workers.launcher.groups import launches
from workers.launcher.model import Launch

pytestmark = pytest.mark.promise("P-WATCH-01")


async def say(world: World) -> list[bool]:
    """Of each group that is there and has not ended, whether its next claim says how late it is."""
    await world.pool.execute("UPDATE launches SET run_at = now() WHERE finished_at IS NULL")
    return [group.says_lateness() for group in await claim(world)]


async def test_a_group_that_is_due_says_it(world: World) -> None:
    await schedule(world, "a@shop.test")

    assert await say(world) == [True]


async def test_one_that_was_given_back_does_not(world: World) -> None:
    await schedule(world, "a@shop.test")
    (group,) = await claim(world)
    await launches.put_back(world.pool, group, timedelta())

    assert await say(world) == [False]


async def test_halves_do_not(world: World) -> None:
    await schedule(world, "a@shop.test", "b@shop.test")
    (group,) = await claim(world)
    await launches.halve(world.pool, group)

    assert await say(world) == [False, False]


async def test_the_next_attempt_does_not(world: World, topic: Topic) -> None:
    async def refuse(_: Launch) -> None:
        raise Deferred("SMTP 450")

    await schedule(world, "a@shop.test")
    await Launcher(world, Remembering(refuse), topic).work_once()

    assert await say(world) == [False]


async def test_another_run_does_not(tables: Settings, world: World, topic: Topic) -> None:
    async def refuse(_: Launch) -> None:
        raise Rejected("550 no such user")

    await schedule(world, "a@shop.test")
    await Launcher(world, Remembering(refuse), topic).work_once()
    await failures.replay(tables, failures.ALL)

    assert await say(world) == [False]


async def test_one_that_is_brought_forward_to_be_taken_back_does_not(world: World) -> None:
    await schedule(world, "a@shop.test", batch=await world.batch(due_in=timedelta(hours=1)))

    assert await say(world) == [False]


async def test_one_whose_message_cannot_be_read_does_not(world: World) -> None:
    await schedule(world, "a@shop.test")
    await world.pool.execute("UPDATE launches SET doomed = 'message cannot be read'")

    assert await say(world) == [False]
