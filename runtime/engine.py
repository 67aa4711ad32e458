"""Postgres through SQLAlchemy, for the transactions that declare things: rare, and each on a connection of its own."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool


def engine_on(connect: Callable[[], Awaitable[asyncpg.Connection]]) -> AsyncEngine:
    """Nothing but the connections that `connect` opens, each closed after use."""
    return create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool)


@asynccontextmanager
async def transaction(connect: Callable[[], Awaitable[asyncpg.Connection]]) -> AsyncIterator[AsyncConnection]:
    """One transaction; what the server has against it is raised as asyncpg says it, as everywhere else."""
    engine = engine_on(connect)
    try:
        async with engine.begin() as connection:
            yield connection
    except DBAPIError as error:
        # Behind SQLAlchemy's two.
        raise ((error.orig.__cause__ if error.orig else None) or error) from error
    finally:
        await engine.dispose()
