"""That a batch is finished is told through Postgres, and heard again after whatever cut the line."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import asyncpg
import pytest

from schemas.settings import Settings
from store import completion_hints
from tests.matching import item, new_world

_CUT = "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE query LIKE 'LISTEN%' || $1 || '%' AND pid <> pg_backend_pid()"
PROMPT = 10


class Ear:
    """Waits for hints."""

    def __init__(self) -> None:
        self.count = 0
        self._heard = asyncio.Event()

    def hear(self) -> None:
        self.count += 1
        self._heard.set()

    async def until_told(self, pool: asyncpg.Pool, settings: Settings) -> int:
        """Hints are repeated, for nobody knows when somebody listens; how often."""
        self._heard.clear()
        told = 0
        async with asyncio.timeout(PROMPT):
            while not self._heard.is_set():
                await completion_hints.tell(pool, settings)
                told += 1
                with suppress(TimeoutError):
                    await asyncio.wait_for(self._heard.wait(), 0.5)
        return told


@asynccontextmanager
async def listening(settings: Settings) -> AsyncIterator[Ear]:
    ear = Ear()
    task = asyncio.create_task(completion_hints.listen(settings, ear.hear))
    yield ear
    task.cancel()
    await asyncio.wait({task})


async def test_who_listens_is_told_and_told_again_when_his_connection_was_cut(tables: Settings, pool: asyncpg.Pool) -> None:
    async with listening(tables) as ear:
        await ear.until_told(pool, tables)
        before = ear.count
        assert await pool.fetch(_CUT, tables.prefix)
        async with asyncio.timeout(PROMPT):
            # Whoever is cut off looks once by himself.
            while ear.count == before:
                await asyncio.sleep(0.01)
        await ear.until_told(pool, tables)


async def test_stacks_on_one_server_do_not_hear_one_another(tables: Settings, pool: asyncpg.Pool) -> None:
    other = tables.model_copy(update={"prefix": f"{tables.prefix}x"})
    async with listening(tables) as ours, listening(other) as theirs:
        await ours.until_told(pool, tables)
        await theirs.until_told(pool, other)
        before = theirs.count
        await ours.until_told(pool, tables)
        # What is told later is heard later: theirs would have come by now.
        told = await theirs.until_told(pool, other)

        assert theirs.count - before <= told


async def test_a_hint_is_no_commit_that_anybody_waits_for(tables: Settings, pool: asyncpg.Pool) -> None:
    async with pool.acquire() as connection:
        told = await connection.fetchrow(completion_hints._TELL, "anything")
        after = await connection.fetchval("SHOW synchronous_commit")

    assert (told[0], after) == ("off", "on")


@pytest.mark.promise("P-BATCH-06")
async def test_a_matcher_tells_when_a_chunk_finishes_a_batch_and_not_before(tables: Settings, pool: asyncpg.Pool) -> None:
    world = await new_world(pool)
    messages = await world.messages([item("ada@a.test"), item("bob@a.test", _frame=1)])
    seen = []
    for chunk in (messages[:1], messages[1:], messages):
        await world.apply(chunk)
        await world.room.committed(chunk)
        seen.append(world.told)

    assert seen == [0, 1, 1]


async def test_a_hint_that_cannot_be_told_stops_nobody(tables: Settings) -> None:
    pool = await asyncpg.create_pool(**tables.postgres_options(), min_size=1)
    await pool.close()

    await completion_hints.tell(pool, tables)
