"""The commands' connection to Postgres."""

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection

from runtime import engine
from runtime.errors import CannotRun
from runtime.masking import masked
from runtime.postgres import POSTGRES_ERRORS, SILENT, open_pool
from schemas.settings import Settings


@asynccontextmanager
async def transaction(settings: Settings, pool: asyncpg.Pool | None = None, **server_settings: str) -> AsyncIterator[AsyncConnection]:
    """One transaction; what the server has against it is told in a line, unless it is on a connection of `pool`, whose owner tells it."""
    if pool is not None:
        async with engine.transaction_on(pool) as connection:
            yield connection
        return
    options = settings.postgres_options()
    options["server_settings"] |= server_settings
    with _in_a_line(settings):
        async with engine.transaction(lambda: asyncpg.connect(**options, timeout=10)) as connection:
            yield connection


@asynccontextmanager
async def plain_connection(settings: Settings, pool: asyncpg.Pool | None = None) -> AsyncIterator[asyncpg.Connection]:
    """One without a transaction, for SQL that the rooms share; else the same."""
    if pool is not None:
        async with pool.acquire() as lent:
            yield lent
        return
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


@contextmanager
def _in_a_line(settings: Settings) -> Iterator[None]:
    try:
        yield
    except (DBAPIError, *POSTGRES_ERRORS) as error:
        raise _told(settings, error) from error


def _told(settings: Settings, error: BaseException) -> CannotRun:
    if isinstance(error, asyncpg.UndefinedTableError):
        return CannotRun(f"Postgres has no tables in the schema {settings.prefix}: run `profuse migrate` first")
    if isinstance(error, asyncpg.UndefinedColumnError):
        return CannotRun(f"Postgres has old tables in the schema {settings.prefix}: run `profuse migrate` first")
    if isinstance(error, SILENT):
        return CannotRun(f"Postgres at {masked(settings.postgres)} does not answer ({error}): start it, or set PROFUSE_POSTGRES")
    return CannotRun(f"Postgres refuses: {error}")
