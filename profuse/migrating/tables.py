"""Brings the tables to a revision, in the schema named by the prefix."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.util import CommandError
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from profuse.masking import masked
from profuse.migrating.starting import while_starting
from profuse.postgres import engine_on
from profuse.stack.failures import CannotRun
from schemas.settings import Settings

# Beside the package, in a checkout as in an installed wheel.
_MIGRATIONS = Path(__file__).parents[2] / "migrations"

# Migrations wait for one another, and may take as long as they take.
_PATIENT = {"lock_timeout": "0", "transaction_timeout": "0", "idle_in_transaction_session_timeout": "0"}


@asynccontextmanager
async def alone(settings: Settings) -> AsyncIterator[AsyncConnection]:
    """A connection while which nobody else migrates this schema; closing it lets the next one in."""
    engine = engine_on(lambda: _connect_alone(settings))
    try:
        async with engine.connect() as connection:
            yield connection
    finally:
        await engine.dispose()


async def upgrade(connection: AsyncConnection, revision: str = "head") -> list[str]:
    return await _walk(connection, command.upgrade, revision)


async def downgrade(connection: AsyncConnection, revision: str = "base") -> list[str]:
    return await _walk(connection, command.downgrade, revision)


async def _connect_alone(settings: Settings) -> asyncpg.Connection:
    try:
        connection = await while_starting(_is_passing, asyncpg.connect, **_options(settings))
        await connection.execute("SELECT pg_advisory_lock(hashtextextended('migrate ' || $1, 0))", settings.prefix)
        # Before SQLAlchemy sees the connection, because it asks at once which schema is the current one.
        await connection.execute(f'CREATE SCHEMA IF NOT EXISTS "{settings.prefix}"')
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise CannotRun(
            f"Postgres at {masked(settings.postgres)} does not do as asked ({error}): start it, or set PROFUSE_POSTGRES"
        ) from error
    return connection


def _options(settings: Settings) -> dict[str, Any]:
    options = settings.postgres_options()
    return options | {"server_settings": options["server_settings"] | _PATIENT, "timeout": 10}


def _is_passing(error: BaseException) -> bool:
    return isinstance(error, (OSError, TimeoutError, asyncpg.CannotConnectNowError))


async def _walk(connection: AsyncConnection, command: Callable[[Config, str], None], revision: str) -> list[str]:
    try:
        before, after = await connection.run_sync(_run, command, revision)
        await connection.commit()
    except (CommandError, DBAPIError) as error:
        raise CannotRun(f"the tables cannot be migrated: {error}") from error
    return [] if before == after else [f"tables: {before} → {after}"]


def _run(connection: Connection, command: Callable[[Config, str], None], revision: str) -> tuple[str, str]:
    config = Config(attributes={"connection": connection})
    # The configuration's own interpolation would read a per cent sign in the path.
    config.set_main_option("script_location", str(_MIGRATIONS).replace("%", "%%"))
    before = _revision(connection)
    command(config, revision)
    return before, _revision(connection)


def _revision(connection: Connection) -> str:
    return MigrationContext.configure(connection).get_current_revision() or "none"
