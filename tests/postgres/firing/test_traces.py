"""Launches keep the trace of their request, whatever becomes of their group."""

import asyncpg
import pytest

from profuse import failures
from schemas.settings import Settings
from tests.firing import Launcher, Topic, claim, schedule
from tests.launching import Remembering, World
from workers.launcher.channels.channel import Deferred, Rejected
from workers.launcher.groups import launches
from workers.launcher.model import Launch

GIVEN = "00-0af7651916cd43dd8448eb211c80319c-b7ad6b7169203331-01"

pytestmark = pytest.mark.promise("P-TRACE-01")


async def traced(world: World, *emails: str) -> None:
    await schedule(world, *emails)
    await world.pool.execute("UPDATE launches SET traceparent = $1", GIVEN)


async def carried(pool: asyncpg.Pool) -> list[str | None]:
    return [row["traceparent"] for row in await pool.fetch("SELECT traceparent FROM launches")]


async def test_the_next_attempt_has_it(world: World, topic: Topic) -> None:
    async def refuse(_: Launch) -> None:
        raise Deferred("SMTP 450")

    await traced(world, "a@shop.test")
    await Launcher(world, Remembering(refuse), topic).work_once()

    assert await carried(world.pool) == [GIVEN] * 2


async def test_both_halves_have_it(world: World) -> None:
    await traced(world, "a@shop.test", "b@shop.test")
    (group,) = await claim(world)
    await launches.halve(world.pool, group)

    assert await carried(world.pool) == [GIVEN] * 2


async def test_another_run_has_it(tables: Settings, world: World, topic: Topic) -> None:
    async def refuse(_: Launch) -> None:
        raise Rejected("550 no such user")

    await traced(world, "a@shop.test")
    await Launcher(world, Remembering(refuse), topic).work_once()
    await failures.replay(tables, failures.ALL)

    assert await carried(world.pool) == [GIVEN] * 2
