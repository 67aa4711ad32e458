"""A sweep goes page by page, alone, past what is locked, and again after it was interrupted."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from typing import NoReturn

import asyncpg
import pytest
from structlog.testing import capture_logs

from schemas.settings import Settings
from tests.launching import World
from tests.retaining import LETTER, finished, left, request, sweep, until, world_of
from workers.retention import Retention, batches, halving, job, letters, slices

OVER = timedelta(seconds=-1)
_LOCK = "SELECT pg_advisory_lock(hashtextextended('retention ' || $1, 0))"
_COUNTED = """
CREATE TABLE deletions (rows int);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS
    $$ BEGIN INSERT INTO deletions SELECT count(*) FROM gone; RETURN NULL; END $$;
CREATE TRIGGER note AFTER DELETE ON batches REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION note();
CREATE TRIGGER note AFTER DELETE ON requests REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION note();
CREATE TRIGGER note AFTER DELETE ON dead_letters REFERENCING OLD TABLE AS gone FOR EACH STATEMENT EXECUTE FUNCTION note();
"""
# A server that takes long for each row, or for some of them.
_SLOW = """
CREATE FUNCTION dawdle() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN PERFORM pg_sleep({seconds}); RETURN OLD; END $$;
CREATE TRIGGER dawdle BEFORE DELETE ON {table} FOR EACH ROW WHEN ({rows}) EXECUTE FUNCTION dawdle();
"""
# Forty rows of one batch, beside those that it has.
_ROWS = {
    "failures": "INSERT INTO failures SELECT id, trigger, n, '', 'any', now() - interval '30 days', 0, 0, 0 FROM batches, {series}",
    "cancels": "INSERT INTO cancels (account, batch) SELECT account, id FROM batches, {series}",
    "attachments": "INSERT INTO attachments SELECT id, n, 'a', 'b', '' FROM batches, {series}",
    "results": "INSERT INTO results SELECT id, n, '{{}}', '', '{{}}', '{{}}' FROM batches, {series}",
    "launches": "INSERT INTO launches (batch, trigger, attempt, first_item, due_at, run_at, chunk, items, profiles, done, finished_at) "
    "SELECT id, trigger, n, 0, now(), now(), 0, ARRAY[0], '', B'1', now() FROM batches, {series}",
}


@pytest.fixture
async def world(tables: Settings, pool: asyncpg.Pool) -> World:
    return await world_of(pool)


@pytest.fixture
def pages(monkeypatch: pytest.MonkeyPatch) -> None:
    """Of two rows."""
    monkeypatch.setattr(batches, "PAGE", 2)
    monkeypatch.setattr(job, "ROWS", 2)
    monkeypatch.setattr(letters, "ROWS", 2)


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
        await world.pool.execute(LETTER, None, each, datetime(2026, 1, 1, tzinfo=UTC))
    await world.pool.execute(_COUNTED)
    await sweep(world, tables)

    assert await world.pool.fetchval("SELECT (max(rows), sum(rows)) FROM deletions") == (2, 15)


@pytest.fixture
def in_time(monkeypatch: pytest.MonkeyPatch) -> None:
    """No statement may take longer than half a second."""
    monkeypatch.setattr(halving, "LIMIT_MS", 500)


@pytest.mark.promise("P-OPS-41", "P-OPS-19")
@pytest.mark.usefixtures("in_time")
async def test_a_page_that_takes_too_long_goes_by_halves(tables: Settings, world: World) -> None:
    for _ in range(20):
        await finished(world)
    await world.pool.execute(_COUNTED)
    await world.pool.execute(_SLOW.format(table="batches", seconds=0.05, rows="true"))
    retention = Retention(tables, world.pool)
    await retention.sweep()

    assert (await left(world), retention.problems()) == ([], [])
    assert await world.pool.fetchval("SELECT max(rows) FROM deletions") < 20


@pytest.mark.promise("P-OPS-41", "P-OPS-19")
@pytest.mark.usefixtures("in_time")
@pytest.mark.parametrize("table", _ROWS)
async def test_a_batch_that_is_too_large_by_itself_goes_in_slices(
    tables: Settings, world: World, monkeypatch: pytest.MonkeyPatch, table: str
) -> None:
    monkeypatch.setattr(slices, "ROWS", 40)
    monkeypatch.setattr(batches, "PAGE", 2)
    await finished(world, hours=31 * 24)
    await world.pool.execute(_ROWS[table].format(series="generate_series(1, 40) AS n"))
    await world.pool.execute(_SLOW.format(table=table, seconds=0.02, rows="true"))
    with capture_logs() as logs:
        await Retention(tables, world.pool).sweep()

    assert await left(world) == []
    assert [entry["event"] for entry in logs] == ["swept"]


@pytest.mark.promise("P-OPS-19")
async def test_nothing_of_a_batch_goes_in_slices_that_somebody_begins_anew(tables: Settings, world: World) -> None:
    batch = await finished(world, hours=31 * 24)
    await world.pool.execute(_ROWS["failures"].format(series="generate_series(1, 40) AS n"))
    await world.pool.execute("UPDATE launches SET finished_at = NULL")
    async with world.pool.acquire() as connection:
        await slices._shrink(connection, batch, terms_of(tables))

    assert await world.pool.fetchval("SELECT count(*) FROM failures") == 40


_NOTED = "CREATE TRIGGER note AFTER DELETE ON {} FOR EACH STATEMENT EXECUTE FUNCTION note()"
_NOTE = """
CREATE TABLE slices (n int GENERATED ALWAYS AS IDENTITY, name text);
CREATE FUNCTION note() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN INSERT INTO slices (name) VALUES (TG_TABLE_NAME); RETURN NULL; END $$;
"""


@pytest.mark.promise("P-OPS-19")
async def test_in_slices_what_could_run_again_goes_first_and_what_says_that_it_ran_goes_last(tables: Settings, world: World) -> None:
    batch = await finished(world, hours=31 * 24)
    await world.pool.execute(_NOTE)
    for table, insert in _ROWS.items():
        await world.pool.execute(insert.format(series="generate_series(1, 40) AS n"))
        await world.pool.execute(_NOTED.format(table))
    async with world.pool.acquire() as connection:
        await slices._shrink(connection, batch, terms_of(tables))
    order = await world.pool.fetch("SELECT name FROM slices GROUP BY name ORDER BY min(n)")

    assert [row["name"] for row in order][:: len(_ROWS) - 1] == ["failures", "launches"]
    assert await world.pool.fetchval("SELECT count(*) FROM launches") == 1


def terms_of(settings: Settings) -> batches.Terms:
    return batches.Terms(settings.batch_kept, settings.failures_kept, settings.dead_letters_kept, timedelta(minutes=5), caught_up=True)


@pytest.mark.promise("P-OPS-41")
@pytest.mark.usefixtures("in_time")
async def test_a_batch_that_cannot_go_at_all_keeps_no_other(tables: Settings, world: World) -> None:
    stuck, _ = [await finished(world) for _ in range(2)]
    await world.pool.execute(_SLOW.format(table="batches", seconds=5, rows=f"OLD.id = '\\x{stuck.hex()}'"))
    retention = Retention(tables, world.pool)
    with capture_logs() as logs:
        for _ in range(2):
            await retention.sweep()

    assert await left(world) == [stuck]
    assert [entry["batch"] for entry in logs if entry["event"] == "batch_too_large"] == [stuck.hex()]


@pytest.mark.promise("P-OPS-41")
async def test_a_batch_that_took_too_long_and_that_is_looked_at_later_now_is_left_alone(tables: Settings, world: World) -> None:
    """As when an operator starts its launches in the meantime."""
    batch = await finished(world)
    now = await world.pool.fetchval("SELECT now()")

    class Moved(halving.Portion):
        async def of(self, step: object, left: int | None = None) -> NoReturn:
            await world.pool.execute("UPDATE batches SET look_at = now() + interval '1 hour'")
            raise asyncpg.QueryCanceledError("too long")

    async with world.pool.acquire() as connection:
        swept = await slices.sweep(connection, now, terms_of(tables), Moved(1))

    assert (swept, await left(world)) == (None, [batch])


_REFUSED = """
CREATE FUNCTION refuse() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no'; END $$;
CREATE TRIGGER refuse BEFORE DELETE ON erasures FOR EACH ROW WHEN (OLD.profile = 'a') EXECUTE FUNCTION refuse();
"""


@pytest.mark.promise("P-ERASE-04", "P-OPS-41")
async def test_an_erasure_that_cannot_be_finished_keeps_no_other_and_is_told(tables: Settings, world: World) -> None:
    await world.pool.execute(
        "INSERT INTO erasures SELECT profile, now() - interval '1 hour' FROM unnest('{a,b,c}'::bytea[]) AS its (profile)"
    )
    await world.pool.execute(_REFUSED)
    retention = Retention(tables, world.pool)
    for _ in range(3):
        await retention.sweep()

    assert await world.pool.fetchval("SELECT array_agg(profile) FROM erasures") == [b"a"]
    assert retention.problems() != []


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
