"""The gateway's connections to Postgres; none is waited for without an end, however silent the server is."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import TypeVar

import asyncpg

from runtime.postgres import writable
from runtime.together import Statement, Together
from schemas.settings import Settings

# For a connection, a new one or one that becomes free.
_CONNECTED_WITHIN = 5.0
# For each answer: longer than locks are waited for, shorter than the patience of clients.
_ANSWERED_WITHIN = 8.0
# Of one statement, so many are under way at a time; what waits longer for its connection than for its answer gains nothing by more.
_LANES = 3
# Goodbyes are not worth more.
_CLOSED_WITHIN = 1.0


T = TypeVar("T")
R = TypeVar("R")


class Pool:
    """Lends connections; whoever gets no answer in time gets one of `runtime.postgres.POSTGRES_ERRORS`."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._together = Together(self.acquire, _LANES)

    async def together(self, statement: Statement[T, R], thing: T) -> R:
        """The statement's answer to this one; who asks while others wait for theirs is asked for with all who do."""
        return await self._together.ask(statement, thing)

    async def close(self) -> None:
        await self._together.close()

    @asynccontextmanager
    async def acquire(self) -> AsyncIterator[asyncpg.Connection]:
        async with self._pool.acquire(timeout=_CONNECTED_WITHIN) as connection:
            try:
                yield connection
            except (TimeoutError, asyncio.CancelledError):
                # Given back in the middle of a statement it would be waited for, until a server that is frozen cancels that.
                connection.terminate()
                raise


@asynccontextmanager
async def open_pool(settings: Settings) -> AsyncIterator[Pool]:
    pool = await asyncpg.create_pool(
        **settings.postgres_options(),
        min_size=0,
        max_size=settings.gateway_connections,
        timeout=_CONNECTED_WITHIN,
        command_timeout=_ANSWERED_WITHIN,
        reset=writable,
    )
    lending = Pool(pool)
    try:
        yield lending
    finally:
        await lending.close()
        await _close(pool)


async def _close(pool: asyncpg.Pool) -> None:
    try:
        async with asyncio.timeout(_CLOSED_WITHIN):
            await pool.close()
    except (TimeoutError, OSError, asyncpg.InterfaceError, asyncpg.InternalClientError):
        # What it could not close it has cut.
        return
