"""A provider that is dead, one that is slow and one that limits, all at once; and everybody else."""

import asyncio
from collections.abc import AsyncIterator
from datetime import timedelta

import pytest

from runtime.outbound.posting import Poster
from schemas.settings import Settings
from tests.firing import LEASE, Launcher, Topic, schedule
from tests.launching import Remembering, World, knowing
from tests.postgres.firing.test_providers import SECRET, poster
from tests.unit.launcher.channels.destinations import HttpProvider
from workers.launcher.channels.http.posting import Posting
from workers.launcher.channels.slots import Slots
from workers.launcher.claim.claim_loop import ClaimLoop

__all__ = ["poster"]
EACH = 60


class Slow(HttpProvider):
    """Answers when it is told to."""

    released: asyncio.Event

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.tried.append(str(len(self.tried)))
        await self.released.wait()
        writer.write(b"HTTP/1.1 204 No Content\r\nConnection: close\r\n\r\n")


@pytest.fixture
async def slow() -> AsyncIterator[Slow]:
    found = Slow()
    found.released = asyncio.Event()
    async with found.open():
        yield found


@pytest.fixture
async def limiting() -> AsyncIterator[HttpProvider]:
    found = HttpProvider()
    found.raw = b"HTTP/1.1 429 Many\r\nRetry-After: 1\r\nContent-Length: 0\r\n\r\n"
    async with found.open():
        yield found


async def webhook(world: World, number: int, port: int) -> int:
    """A trigger that leaves by a provider of its own."""
    await world.pool.execute(
        """
        INSERT INTO providers (account, name, channel, url, secrets, concurrency, timeout, active)
        VALUES (1, $1::text, 'webhook', $2, $3, 16, 60, true)
        """,
        f"to {number}",
        f"http://127.0.0.1:{port}",
        [SECRET],
    )
    trigger = await world.trigger_of(number)
    await world.pool.execute(
        "UPDATE triggers SET channel = 'webhook', body = '{}', provider = ARRAY[$2::text] WHERE id = $1", trigger, f"to {number}"
    )
    return trigger


@pytest.mark.promise("P-LAUNCH-34", "P-OPS-50")
async def test_three_kinds_of_trouble_at_once_keep_no_other_trigger_waiting(
    world: World, topic: Topic, poster: Poster, slow: Slow, limiting: HttpProvider
) -> None:
    dead = HttpProvider()
    async with dead.open():
        pass
    # Two that are slow: each may have a half of what the account may, and gives that up while it only waits.
    for number, port in ((20, slow.port), (21, dead.port), (22, limiting.port), (23, slow.port)):
        trigger = await webhook(world, number, port)
        for _ in range(EACH):
            await schedule(world, None, trigger=trigger)
    launcher = Launcher(world, Remembering(slots=Slots(200)), topic)
    launcher.sending = knowing({"email": launcher.channel, "webhook": Posting(poster, 128)}, world.pool)
    settings = Settings(claim_every=timedelta(seconds=0.05), lease=LEASE, claim_groups=8, page=2)
    claim_loop = ClaimLoop(settings, world.pool, launcher.delivery())
    async with asyncio.TaskGroup() as loops:
        loops.create_task(claim_loop.run(launcher.stop))
        async with asyncio.timeout(30):
            while not (len(slow.tried) >= 8 and limiting.tried):
                await asyncio.sleep(0.01)
            # Only now: all that is troubled stands before them.
            for number in range(EACH):
                await schedule(world, f"{number}@shop.test")
            while len(launcher.channel.sent) < EACH:
                await asyncio.sleep(0.01)
        told = topic.types()
        launcher.stop.set()
        slow.released.set()

    # Nobody failed or was given up for it.
    assert "fail" not in told
    assert await world.pool.fetchval("SELECT count(*) FROM launches WHERE finished_at IS NULL AND attempt > 0") == 0
    assert await world.pool.fetchval("SELECT count(*) FROM provider_states WHERE why IS NOT NULL") == 2
