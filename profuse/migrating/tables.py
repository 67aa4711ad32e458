"""Brings the tables to a revision, in the schema named by the prefix."""

from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from operator import not_
from typing import Any

import asyncpg
from alembic import command
from alembic.config import Config
from alembic.migration import MigrationContext
from alembic.util import CommandError
from sqlalchemy import Connection
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection
from tenacity import AsyncRetrying, retry_if_exception, retry_if_result, stop_after_attempt, wait_fixed, wait_random_exponential

from profuse.migrating.starting import while_starting
from runtime.engine import engine_on
from runtime.errors import CannotRun
from runtime.masking import masked
from runtime.schema import MIGRATIONS, REVISION, REVISIONS, is_later
from schemas.settings import Settings

_ASK_EVERY = 0.05
_NONE = "none"

# Migrations may take as long as they take.
_PATIENT = {"transaction_timeout": "0", "idle_in_transaction_session_timeout": "0"}
# An ALTER that waits for one long reader keeps everybody out who comes after it, so it waits briefly, lets them through, and comes again.
LOCKED_FOR = "2s"
TRIES = 20
_BETWEEN = wait_random_exponential(0.5, max=10)


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
        await _wait_for_turn(connection, settings.prefix)
        # Before SQLAlchemy sees the connection, because it asks at once which schema is the current one.
        await _make_schema(connection, settings.prefix)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise CannotRun(
            f"Postgres at {masked(settings.postgres)} does not do as asked ({error}): start it, or set PROFUSE_POSTGRES"
        ) from error
    return connection


async def _wait_for_turn(connection: asyncpg.Connection, prefix: str) -> None:
    # Asked again and again: a statement that waited would be waited for by an index that is built concurrently.
    asking = AsyncRetrying(retry=retry_if_result(not_), wait=wait_fixed(_ASK_EVERY))
    await asking(connection.fetchval, "SELECT pg_try_advisory_lock(hashtextextended('migrate ' || $1, 0))", prefix)


async def _make_schema(connection: asyncpg.Connection, prefix: str) -> None:
    # Postgres asks for the right to make one before it looks whether there is one.
    if not await connection.fetchval("SELECT EXISTS (SELECT FROM pg_namespace WHERE nspname = $1)", prefix):
        await connection.execute(f'CREATE SCHEMA "{prefix}"')


def _options(settings: Settings) -> dict[str, Any]:
    options = settings.postgres_options()
    return options | {"server_settings": options["server_settings"] | _PATIENT | {"lock_timeout": LOCKED_FOR}, "timeout": 10}


def _is_passing(error: BaseException) -> bool:
    return isinstance(error, (OSError, TimeoutError, asyncpg.CannotConnectNowError))


async def _walk(connection: AsyncConnection, command: Callable[[Config, str], None], revision: str) -> list[str]:
    attempts = AsyncRetrying(retry=retry_if_exception(_is_locked), stop=stop_after_attempt(TRIES), wait=_BETWEEN, reraise=True)
    try:
        walked: tuple[str, str] = await attempts(_try_to_walk, connection, command, revision)
    except (CommandError, DBAPIError) as error:
        advice = ": somebody holds a table for long, see pg_stat_activity; then migrate again" if _is_locked(error) else ""
        raise CannotRun(f"the tables cannot be migrated: {error}{advice}") from error
    before, after = walked
    if is_later(after):
        return [f"tables: {after} is of a later release than this one ({REVISION}), they are left as they are"]
    return [] if before == after else [f"tables: {before} → {after}"]


async def _try_to_walk(connection: AsyncConnection, command: Callable[[Config, str], None], revision: str) -> tuple[str, str]:
    """All of the way or none of it, but for what an index that was built concurrently has committed on the way."""
    try:
        walked = await connection.run_sync(_run, command, revision)
        await connection.commit()
    except DBAPIError:
        await connection.rollback()
        raise
    return walked


def _is_locked(error: BaseException) -> bool:
    # A migration of several tables may meet who locks them in another order.
    locked = (asyncpg.LockNotAvailableError, asyncpg.DeadlockDetectedError)
    return isinstance(error, DBAPIError) and error.orig is not None and isinstance(error.orig.__cause__, locked)


def _run(connection: Connection, command: Callable[[Config, str], None], revision: str) -> tuple[str, str]:
    config = Config(attributes={"connection": connection})
    # The configuration's own interpolation would read a per cent sign in the path.
    config.set_main_option("script_location", str(MIGRATIONS).replace("%", "%%"))
    before = _revision(connection)
    # On the way back to the release before, which works with what is there.
    if is_later(before):
        return before, before
    if before not in (*REVISIONS, _NONE):
        raise CannotRun(
            f"the tables cannot be migrated: no release of ours knows their revision {before}; see whose schema PROFUSE_PREFIX names"
        )
    # A migration that builds an index concurrently has to be outside of any transaction.
    connection.commit()
    command(config, revision)
    return before, _revision(connection)


def _revision(connection: Connection) -> str:
    return MigrationContext.configure(connection).get_current_revision() or _NONE
