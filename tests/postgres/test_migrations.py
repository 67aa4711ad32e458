"""The migrations, walked in both directions on a real Postgres."""

import asyncio
from collections.abc import AsyncIterator

import asyncpg
import pytest
from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect, text
from sqlalchemy.ext.asyncio import AsyncConnection

from profuse.migrating import tables
from profuse.migrating.tables import alone, downgrade, upgrade
from runtime.errors import CannotRun
from runtime.schema import REVISION
from schemas.settings import Settings
from schemas.tables import metadata
from tests.migrating import migrate_tables
from tests.roles import somebody


@pytest.fixture
async def empty(settings: Settings) -> AsyncIterator[Settings]:
    """Not even a schema; what the test makes is dropped."""
    yield settings
    connection = await asyncpg.connect(settings.postgres)
    await connection.execute(f"DROP SCHEMA IF EXISTS {settings.prefix}, {settings.prefix}_other CASCADE")
    await connection.close()


async def test_the_migrations_walk_up_and_down_and_end_at_the_models(empty: Settings) -> None:
    async with alone(empty) as connection:
        await upgrade(connection)
        await downgrade(connection)

        assert await connection.run_sync(_table_names) == ["alembic_version"]

        await upgrade(connection)

        assert await _differences(connection) == []


async def test_ids_and_digests_are_stored_as_they_are(tables: Settings) -> None:
    connection = await asyncpg.connect(**tables.postgres_options())
    plain = await connection.fetch(
        "SELECT attrelid::regclass::text, attname FROM pg_attribute WHERE attstorage = 'e' AND attrelid = ANY($1::text[]::regclass[])",
        list(metadata.tables),
    )
    await connection.close()

    assert {tuple(each) for each in plain} == {("results", "profiles"), ("progress", "outbox")}


@pytest.mark.promise("P-DOOR-09")
async def test_migrating_again_changes_nothing(empty: Settings) -> None:
    first = await migrate_tables(empty)
    second = await migrate_tables(empty)

    assert (first, second) == ([f"tables: none → {REVISION}"], [])


@pytest.mark.promise("P-DOOR-09")
async def test_a_database_of_the_release_before_is_brought_along_with_what_it_holds(empty: Settings) -> None:
    async with alone(empty) as connection:
        await upgrade(connection, "0001")
        await connection.execute(text("INSERT INTO accounts VALUES (1, 'demo')"))
        await connection.execute(text("INSERT INTO tokens (account, name, hash, rights) VALUES (1, 'old', 'x', '{read}')"))
        await connection.commit()
    changed = await migrate_tables(empty)
    async with alone(empty) as connection:
        found = (await connection.execute(text("SELECT name, rights, in_flight FROM tokens"))).one()

        assert await _differences(connection) == []

    assert (changed, tuple(found)) == ([f"tables: 0001 → {REVISION}"], ("old", ["read"], None))


@pytest.mark.promise("P-DOOR-09")
async def test_whoever_owns_the_schema_needs_no_right_on_the_database(empty: Settings) -> None:
    async with somebody(empty, "search_path = pg_catalog", "") as owner:
        connection = await asyncpg.connect(empty.postgres)
        await connection.execute(f"CREATE SCHEMA {empty.prefix} AUTHORIZATION {empty.prefix}")
        await connection.close()

        assert await migrate_tables(owner) == [f"tables: none → {REVISION}"]


@pytest.mark.promise("P-DOOR-09")
async def test_tables_of_a_later_release_are_left_as_they_are(tables: Settings, pool: asyncpg.Pool) -> None:
    later = f"{int(REVISION) + 1:04}"
    await pool.execute("UPDATE alembic_version SET version_num = $1", later)
    told = await migrate_tables(tables)

    assert told == [f"tables: {later} is of a later release than this one ({REVISION}), they are left as they are"]
    assert await pool.fetchval("SELECT version_num FROM alembic_version") == later


@pytest.mark.promise("P-DOOR-09")
@pytest.mark.parametrize("unknown", ["0000", "ae1027a6acf"])
async def test_tables_of_nobody_knows_what_are_not_migrated(tables: Settings, pool: asyncpg.Pool, unknown: str) -> None:
    await pool.execute("UPDATE alembic_version SET version_num = $1", unknown)

    with pytest.raises(CannotRun, match=f"no release of ours knows their revision {unknown}"):
        await migrate_tables(tables)


@pytest.mark.promise("P-DOOR-09")
async def test_rivals_migrate_one_after_the_other(empty: Settings) -> None:
    async with asyncio.TaskGroup() as rivals:
        changes = [rivals.create_task(migrate_tables(empty)) for _ in range(4)]

    assert sorted(task.result() for task in changes) == [[], [], [], [f"tables: none → {REVISION}"]]


@pytest.mark.promise("P-DOOR-32")
async def test_a_migration_that_waits_for_a_reader_keeps_nobody_else_out(empty: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(tables, "LOCKED_FOR", "100ms")
    async with alone(empty) as connection:
        await upgrade(connection, "0001")
    async with asyncpg.create_pool(**empty.postgres_options(), min_size=0) as pool, pool.acquire() as reader:
        await reader.execute("SET idle_in_transaction_session_timeout = 0; SET transaction_timeout = 0")
        async with reader.transaction(), asyncio.TaskGroup() as tasks:
            await reader.execute("SELECT FROM tokens")
            migrating = tasks.create_task(migrate_tables(empty))
            async with asyncio.timeout(60):
                # Twice: it let go and came again.
                for _ in range(2):
                    while not await pool.fetchval(
                        "SELECT EXISTS (SELECT FROM pg_locks WHERE NOT granted AND relation = 'tokens'::regclass)"
                    ):
                        await asyncio.sleep(0.01)
                    await pool.fetch("SELECT FROM tokens")
            waited = not migrating.done()
            await reader.execute("COMMIT; BEGIN")

    assert (waited, migrating.result()) == (True, [f"tables: 0001 → {REVISION}"])


@pytest.mark.promise("P-DOOR-12")
async def test_two_prefixes_are_two_sets_of_tables(empty: Settings) -> None:
    other = empty.model_copy(update={"prefix": f"{empty.prefix}_other"})
    await migrate_tables(empty)
    await migrate_tables(other)

    async with alone(other) as connection:
        await downgrade(connection)
    async with alone(empty) as connection:
        assert await _differences(connection) == []


async def _differences(connection: AsyncConnection) -> list[object]:
    return await connection.run_sync(_compare)


def _compare(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_server_default": True})
    return list(compare_metadata(context, metadata))


def _table_names(connection: Connection) -> list[str]:
    return inspect(connection).get_table_names()
