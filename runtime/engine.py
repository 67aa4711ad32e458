"""Postgres through SQLAlchemy, for what is rare: each transaction on a connection of its own, or on one that a pool lends."""

from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
from sqlalchemy.exc import DBAPIError
from sqlalchemy.ext.asyncio import AsyncConnection, AsyncEngine, create_async_engine
from sqlalchemy.pool import NullPool


def engine_on(connect: Callable[[], Awaitable[asyncpg.Connection]]) -> AsyncEngine:
    """Nothing but the connections that `connect` opens, each closed after use."""
    return create_async_engine("postgresql+asyncpg://", async_creator=connect, poolclass=NullPool, hide_parameters=True)


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


@asynccontextmanager
async def transaction_on(pool: asyncpg.Pool) -> AsyncIterator[AsyncConnection]:
    """The same on a connection of a pool, which stays open, and which the pool has back in any case."""
    async with pool.acquire() as lent:

        async def connect() -> Any:
            return _KeptOpen(lent)

        async with transaction(connect) as connection:
            yield connection


class _KeptOpen:
    """A connection as it is, but that closing it is not SQLAlchemy's matter."""

    def __init__(self, lent: Any) -> None:
        self._lent = lent

    def __getattr__(self, name: str) -> Any:
        return getattr(self._lent, name)

    async def close(self, *, timeout: float | None = None) -> None:  # noqa: ASYNC109  # as asyncpg has it
        """Whoever lent it does that."""
