"""The migrations, walked in both directions on a real Postgres."""

import asyncio

from alembic.autogenerate import compare_metadata
from alembic.migration import MigrationContext
from sqlalchemy import Connection, inspect
from sqlalchemy.ext.asyncio import AsyncConnection

from profuse.migrating import migrate_tables, tables
from schemas.settings import Settings
from schemas.tables import metadata


async def test_the_migrations_walk_up_and_down_and_end_at_the_models(settings: Settings) -> None:
    async with tables.alone(settings) as connection:
        await tables.upgrade(connection)
        await tables.downgrade(connection)

        assert await connection.run_sync(_table_names) == ["alembic_version"]

        await tables.upgrade(connection)

        assert await _differences(connection) == []


async def test_migrating_again_changes_nothing(settings: Settings) -> None:
    first = await migrate_tables(settings)
    second = await migrate_tables(settings)

    assert (first, second) == (["tables: none → 0001"], [])


async def test_rivals_migrate_one_after_the_other(settings: Settings) -> None:
    changes = await asyncio.gather(*(migrate_tables(settings) for _ in range(4)))

    assert sorted(changes) == [[], [], [], ["tables: none → 0001"]]


async def test_two_prefixes_are_two_sets_of_tables(settings: Settings) -> None:
    other = settings.model_copy(update={"prefix": f"{settings.prefix[:30]}_other"})
    await migrate_tables(settings)
    await migrate_tables(other)

    async with tables.alone(other) as connection:
        await tables.downgrade(connection)
    async with tables.alone(settings) as connection:
        assert await _differences(connection) == []


async def _differences(connection: AsyncConnection) -> list[object]:
    return await connection.run_sync(_compare)


def _compare(connection: Connection) -> list[object]:
    context = MigrationContext.configure(connection, opts={"compare_server_default": True})
    return list(compare_metadata(context, metadata))


def _table_names(connection: Connection) -> list[str]:
    return inspect(connection).get_table_names()
