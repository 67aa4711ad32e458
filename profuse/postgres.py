"""The commands' connection to Postgres."""

from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import asynccontextmanager, contextmanager

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool

from runtime.errors import CannotRun
from runtime.masking import masked
from runtime.postgres import SILENT, open_pool
from schemas.settings import Settings


@asynccontextmanager
async def transaction(settings: Settings) -> AsyncIterator[AsyncConnection]:
    """One transaction; what the server has against it is told in a line."""
    engine = engine_on(lambda: asyncpg.connect(**settings.postgres_options(), timeout=10))
    try:
        with _in_a_line(settings):
            async with engine.begin() as connection:
                yield connection
    finally:
        await engine.dispose()


@asynccontextmanager
async def plain_connection(settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    """One without a transaction, for SQL that the rooms share; what the server has against it is told in a line."""
    with _in_a_line(settings):
        connection = await asyncpg.connect(**settings.postgres_options(), timeout=10)
        try:
            yield connection
        finally:
            await connection.close()


@asynccontextmanager
async def patient_connections(settings: Settings) -> AsyncIterator[asyncpg.Pool]:
    """For work that lasts, with the plans of a worker; what the server has against it is told in a line."""
    with _in_a_line(settings):
        async with await open_pool(settings, 1) as pool:
            yield pool


def engine_on(connect: Callable[[], Awaitable[asyncpg.Connection]]) -> AsyncEngine:
    """Nothing but the connections that `connect` opens, each closed after use."""
    return create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)


@contextmanager
def _in_a_line(settings: Settings) -> Iterator[None]:
    try:
        yield
    except DBAPIError as error:
        # asyncpg's own error, behind SQLAlchemy's two.
        raise _told(settings, (error.orig.__cause__ if error.orig else None) or error) from error
    except (asyncpg.PostgresError, *SILENT) as error:
        raise _told(settings, error) from error


def _told(settings: Settings, error: BaseException) -> CannotRun:
    if isinstance(error, asyncpg.UndefinedTableError):
        return CannotRun(f"Postgres has no tables in the schema {settings.prefix}: run `profuse migrate` first")
    if isinstance(error, asyncpg.UndefinedColumnError):
        return CannotRun(f"Postgres has old tables in the schema {settings.prefix}: run `profuse migrate` first")
    if isinstance(error, SILENT):
        return CannotRun(f"Postgres at {masked(settings.postgres)} does not answer ({error}): start it, or set PROFUSE_POSTGRES")
    return CannotRun(f"Postgres refuses: {error}")
