"""The gateway's connections to Postgres; none is waited for without an end, however silent the server is."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from functools import partial
from typing import Any, TypeVar

import asyncpg

from runtime.coalescing import Coalescing
from runtime.postgres import SILENT, unchanged
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
Statement = Callable[[asyncpg.Connection, Sequence[T]], Awaitable[Sequence[R]]]
"""What is asked for many at once; the answers stand in the order of the questions."""


class Pool:
    """Lends connections; whoever gets no answer in time gets one of `runtime.postgres.AWAY`."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._together: dict[Statement[Any, Any], Coalescing[Any, Any]] = {}

    async def together(self, statement: Statement[T, R], thing: T) -> R:
        """The statement's answer to this one; who asks while others wait for theirs is asked for with all who do."""
        if statement not in self._together:
            self._together[statement] = Coalescing(partial(self._for_all, statement), SILENT, _LANES)
        answer: R = await self._together[statement].do(thing)
        return answer

    async def close(self) -> None:
        for coalescing in self._together.values():
            await coalescing.close()

    async def _for_all(self, statement: Statement[T, R], things: Sequence[T]) -> Sequence[R]:
        async with self.acquire() as connection:
            return await statement(connection, things)

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
        reset=unchanged,
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
