"""A sweep goes page by page, alone, past what is locked, and again after it was interrupted."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import asyncpg
import pytest
from structlog.testing import capture_logs

from schemas.settings import Settings
from tests.launching import World
from tests.retaining import finished, left, request, sweep, until, world_of
from workers.retention import Retention, batches, job

OVER = timedelta(seconds=-1)
_LOCK = "SELECT pg_advisory_lock(hashtextextended('retention ' || $1, 0))"
_COUNTED = """
CREATE TABLE deletions (rows int);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN INSERT INTO deletions SELECT count(*) FROM gone; RETURN NULL; END $$;
CREATE TRIGGER note AFTER DELETE ON batches REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION note();
CREATE TRIGGER note AFTER DELETE ON requests REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION note();
"""


@pytest.fixture
async def world(tables: Settings, pool: asyncpg.Pool) -> World:
    return await world_of(pool)


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two rows."""
    monkeypatch.setattr(batches, "PAGE", 2)
    monkeypatch.setattr(job, "ROWS", 2)


@pytest.mark.usefixtures("pages")
async def test_a_page_of_what_stays_hides_nothing_behind_it(tables: Settings, world: World) -> None:
    kept = [await finished(world, hours=40 - each) for each in range(5)]
    await world.pool.execute("UPDATE launches SET finished_at = NULL")
    await finished(world)
    for each in range(10):
        await request(world, kept[0], f"r{each}", timedelta(hours=1 if each < 5 else -1))
    await sweep(world, tables)

    assert await left(world) == kept
    assert await world.pool.fetchval("SELECT array_agg(request_id ORDER BY 1) FROM requests") == [f"r{each}" for each in range(5)]


@pytest.mark.usefixtures("pages")
async def test_no_statement_deletes_more_than_a_page(tables: Settings, world: World) -> None:
    for each in range(5):
        await request(world, await finished(world), f"r{each}", OVER)
    await world.pool.execute(_COUNTED)
    await sweep(world, tables)

    assert await world.pool.fetchval("SELECT (max(rows), sum(rows)) FROM deletions") == (2, 10)


@pytest.mark.promise("P-REQID-09")
async def test_an_expired_id_that_is_being_used_anew_stays_and_is_not_waited_for(tables: Settings, world: World) -> None:
    await request(world, b"old", "mine", OVER)
    async with world.pool.acquire() as connection, connection.transaction():
        await connection.execute("UPDATE requests SET batch = 'new', expires_at = now() + interval '1 day'")
        await sweep(world, tables)

    assert await world.pool.fetchval("SELECT array_agg(batch) FROM requests") == [b"new"]


@pytest.mark.promise("P-OPS-19")
async def test_a_batch_that_somebody_uses_is_not_waited_for(tables: Settings, world: World) -> None:
    used = await finished(world, hours=26)
    await finished(world)
    async with world.pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT FROM batches WHERE id = $1 FOR KEY SHARE", used)
        await sweep(world, tables)

    assert await left(world) == [used]


@pytest.mark.promise("P-OPS-19")
async def test_a_sweep_does_not_turn_on_the_spot_where_somebody_holds_all_that_is_left(tables: Settings, world: World) -> None:
    held = await finished(world)
    async with world.pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT FROM batches WHERE id = $1 FOR UPDATE", held)
        with capture_logs() as logs:
            async with asyncio.timeout(20):
                await Retention(tables, world.pool).sweep()

    assert (await left(world), [entry["event"] for entry in logs]) == ([held], ["swept"])


async def test_only_one_launcher_sweeps_at_a_time(tables: Settings, world: World) -> None:
    batch = await finished(world)
    async with world.pool.acquire() as other:
        await other.execute(_LOCK, tables.prefix)
        with capture_logs() as logs:
            await sweep(world, tables)
        kept = await left(world)
    await sweep(world, tables)

    assert (kept, logs, await left(world)) == ([batch], [], [])


async def test_a_stack_of_another_prefix_sweeps_meanwhile(tables: Settings, world: World) -> None:
    await finished(world)
    async with world.pool.acquire() as other:
        await other.execute(_LOCK, tables.prefix + "2")
        await sweep(world, tables)

    assert await left(world) == []


@asynccontextmanager
async def interrupted(world: World, settings: Settings) -> AsyncIterator[None]:
    """A job that sweeps all the time, after it was interrupted."""
    stop = asyncio.Event()
    job = Retention(settings.model_copy(update={"retention_every": timedelta(seconds=0.02)}), world.pool)
    with capture_logs() as logs:
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(job.run(stop))
            async with asyncio.timeout(20):
                while not any(entry["event"] == "sweep_interrupted" for entry in logs):
                    await asyncio.sleep(0.02)
            yield
            stop.set()


async def test_a_sweep_that_the_database_refused_comes_again(tables: Settings, world: World) -> None:
    await world.pool.execute("ALTER TABLE requests RENAME TO mislaid")
    async with interrupted(world, tables):
        await world.pool.execute("ALTER TABLE mislaid RENAME TO requests")
        await finished(world)
        await until(world.pool, "count(*) = 0 FROM batches")


async def test_a_sweep_without_a_broker_comes_again(tables: Settings, world: World) -> None:
    await world.pool.execute("INSERT INTO progress (topic, partition, position) VALUES ('any', 0, 7)")
    async with interrupted(world, tables.model_copy(update={"kafka": "127.0.0.1:1"})):
        await finished(world)
        await until(world.pool, "count(*) = 0 FROM batches")
