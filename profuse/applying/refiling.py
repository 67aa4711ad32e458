"""Files a database's profiles anew beside its imports, and goes on where it was interrupted."""

from collections.abc import Awaitable, Callable
from datetime import timedelta

import asyncpg
from tenacity import AsyncRetrying, retry_if_exception_type, retry_if_result, stop_after_delay, wait_fixed, wait_random

from profuse.postgres import patient_connections
from runtime.crash_points import crash_point
from schemas.settings import Settings
from workers.exactly_once import Conflict
from workers.matcher import refiling

# A page holds the locks of its profiles for some hundredths of a second.
PAGE = 500
# No worker's transaction lasts longer (`transaction_timeout`): whoever is still there then, such as a backup, files nothing.
_LONGEST_TRANSACTION = 35.0
_LOOK_EVERY = 0.05
_PATIENCE = timedelta(minutes=1)

# Others want the same rows: the next try finds them free.
_PASSING = (Conflict, asyncpg.DeadlockDetectedError, asyncpg.LockNotAvailableError, asyncpg.QueryCanceledError)

_READERS = """
    SELECT coalesce(array_agg(DISTINCT virtualtransaction), '{}') FROM pg_locks
    WHERE locktype = 'relation' AND relation = 'databases'::regclass AND pid <> pg_backend_pid()
      AND database = (SELECT oid FROM pg_database WHERE datname = current_database())
"""
_REMAINING = "SELECT EXISTS (SELECT FROM pg_locks WHERE virtualtransaction = ANY($1))"


async def refile(settings: Settings, database: int, tell: Callable[[int], None]) -> int:
    """How many profiles were filed; tells that number after each page. Others may do the same at the same time."""
    filed = 0
    async with patient_connections(settings) as pool:
        while (turn := await _turn(pool, database)) is not None:
            while (count := await _again(_page, pool, database, turn)) is not None:
                crash_point("refile:filed" if count else "refile:swept")
                filed += count
                tell(filed)
            # Now the fields may be searched by, unless more of them came meanwhile.
            await pool.execute("DELETE FROM refilings WHERE database = $1 AND turn = $2", database, turn)
    return filed


async def _turn(pool: asyncpg.Pool, database: int) -> int | None:
    """What is to be done, once nobody writes any more who knows only what was declared before; None if it is done."""
    async with pool.acquire() as connection:
        row = await connection.fetchrow("SELECT turn, waited FROM refilings WHERE database = $1", database)
        if row is None:
            return None
        if not row["waited"]:
            await _readers_gone(connection)
            await connection.execute("UPDATE refilings SET waited = true WHERE database = $1 AND turn = $2", database, row["turn"])
        return int(row["turn"])


async def _readers_gone(connection: asyncpg.Connection) -> None:
    """Wait for the transactions that may have read what was declared before, as far as they can be an import's."""
    readers = await connection.fetchval(_READERS)

    async def remaining() -> bool:
        return bool(await connection.fetchval(_REMAINING, readers))

    stop = stop_after_delay(_LONGEST_TRANSACTION)
    await AsyncRetrying(retry=retry_if_result(bool), stop=stop, wait=wait_fixed(_LOOK_EVERY), retry_error_callback=bool)(remaining)


async def _page(pool: asyncpg.Pool, database: int, turn: int) -> int | None:
    """Sweep or file the next page; how many profiles were filed, None where nothing is left of this turn."""
    async with pool.acquire() as connection, connection.transaction():
        # Whoever else is at it waits here, and takes the page after this one.
        row = await connection.fetchrow("SELECT * FROM refilings WHERE database = $1 AND turn = $2 FOR UPDATE", database, turn)
        if row is None:
            return None
        if row["swept_value"] is not None:
            swept = await refiling.sweep(connection, database, (row["swept_value"], row["swept_n"]), PAGE) or (None, 0)
            await connection.execute("UPDATE refilings SET swept_value = $2, swept_n = $3 WHERE database = $1", database, *swept)
            return 0
        filed = await refiling.file(connection, database, row["filed"], PAGE)
        if not filed:
            return None
        await connection.execute("UPDATE refilings SET filed = $2 WHERE database = $1", database, filed[-1])
        return len(filed)


async def _again(
    step: Callable[[asyncpg.Pool, int, int], Awaitable[int | None]], pool: asyncpg.Pool, database: int, turn: int
) -> int | None:
    attempts = AsyncRetrying(
        retry=retry_if_exception_type(_PASSING), stop=stop_after_delay(_PATIENCE), wait=wait_random(0, 0.5), reraise=True
    )
    return await attempts(step, pool, database, turn)
