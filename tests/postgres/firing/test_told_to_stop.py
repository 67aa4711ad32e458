"""A launcher's process that is told to stop while it waits for somebody who says nothing."""

import asyncio
import os
import signal
import sys
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import pytest

from schemas.settings import Settings
from tests.firing import claim, schedule, silent
from tests.launching import World

pytestmark = [pytest.mark.timeout(120), pytest.mark.promise("P-OPS-13", "P-OPS-25", "P-LAUNCH-33")]


@asynccontextmanager
async def launcher(settings: Settings, **changes: str) -> AsyncIterator[asyncio.subprocess.Process]:
    """As an orchestrator starts it."""
    given = {"KAFKA": settings.kafka, "POSTGRES": settings.postgres, "PREFIX": settings.prefix, "HEALTH_PORT": "0"} | changes
    environment = os.environ | {f"PROFUSE_{name}": value for name, value in given.items()}
    process = await asyncio.create_subprocess_exec(sys.executable, "-m", "profuse", "launcher", env=environment)
    try:
        yield process
    finally:
        if process.returncode is None:
            process.kill()
            await process.wait()


async def until(holds: Callable[[], Awaitable[bool]]) -> None:
    async with asyncio.timeout(60):
        while not await holds():
            await asyncio.sleep(0.05)


async def stopped(process: asyncio.subprocess.Process) -> int:
    process.send_signal(signal.SIGTERM)
    return await asyncio.wait_for(process.wait(), 10)


async def test_it_is_gone_in_time_although_a_destination_hangs(migrated: Settings, world: World) -> None:
    await schedule(world, "a@example.com")
    with silent() as server:
        async with launcher(migrated, SMTP=f"smtp://{server}") as process:
            await until(lambda: world.pool.fetchval("SELECT fence > 0 FROM launches"))
            code = await stopped(process)

    (group,) = await claim(world)
    assert (code, group.undone(), group.attempt, group.doubts, group.claims) == (0, [0], 0, 0, 1)


async def test_it_is_gone_in_time_although_the_broker_hangs(tables: Settings, world: World) -> None:
    await schedule(world, None)
    with silent() as kafka:
        async with launcher(tables, KAFKA=kafka) as process:
            await until(lambda: world.pool.fetchval("SELECT skipped = 1 FROM launches"))
            code = await stopped(process)

    (group,) = await claim(world)
    # Marked once, and told by whoever has the group next.
    assert (code, group.undone(), group.outbox is not None, group.claims) == (0, [], True, 1)
