"""The commands' connection to Postgres."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from profuse.masking import masked
from profuse.stack.failures import CannotRun
from schemas.settings import Settings


@asynccontextmanager
async def transaction(settings: Settings) -> AsyncIterator[AsyncConnection]:
    """One transaction; what the server has against it is told in a line."""
    engine = engine_on(lambda: asyncpg.connect(**settings.postgres_options(), timeout=10))
    try:
        async with engine.begin() as connection:
            yield connection
    except DBAPIError as error:
        raise _told(settings, error) from error
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise _silent(settings, error) from error
    finally:
        await engine.dispose()


@asynccontextmanager
async def plain_connection(settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    """One without a transaction, for SQL that the rooms share; what the server has against it is told in a line."""
    try:
        connection = await asyncpg.connect(**settings.postgres_options(), timeout=10)
        try:
            yield connection
        finally:
            await connection.close()
    except asyncpg.PostgresError as error:
        raise _refused(settings, error) from error
    except (OSError, TimeoutError, asyncpg.InterfaceError) as error:
        raise _silent(settings, error) from error


def engine_on(connect: Callable[[], Awaitable[asyncpg.Connection]]) -> AsyncEngine:
    """Nothing but the connections that `connect` opens, each closed after use."""
    return create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)


def _told(settings: Settings, error: DBAPIError) -> CannotRun:
    # asyncpg's own error, behind SQLAlchemy's two.
    return _refused(settings, (error.orig.__cause__ if error.orig else None) or error)


def _refused(settings: Settings, error: BaseException) -> CannotRun:
    if isinstance(error, asyncpg.UndefinedTableError):
        return CannotRun(f"Postgres has no tables in the schema {settings.prefix}: run `profuse migrate` first")
    if isinstance(error, asyncpg.UndefinedColumnError):
        return CannotRun(f"Postgres has old tables in the schema {settings.prefix}: run `profuse migrate` first")
    return CannotRun(f"Postgres refuses: {error}")


def _silent(settings: Settings, error: BaseException) -> CannotRun:
    return CannotRun(f"Postgres at {masked(settings.postgres)} does not answer ({error}): start it, or set PROFUSE_POSTGRES")
