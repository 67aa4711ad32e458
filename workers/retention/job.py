"""The job: sweeps again and again, step by step, and says so when it does not get through."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from datetime import datetime
from functools import partial

import asyncpg
import structlog

from runtime.kafka import BrokerUnavailable
from runtime.postgres import POSTGRES_ERRORS, affected
from schemas import metrics
from schemas.settings import Settings
from store.erasure import strip
from workers.retention import batches, halving, letters, records, slices
from workers.retention.halving import Portion, until_none

log = structlog.get_logger()

ROWS = 10_000
# Then somebody has to look: what should go has been staying for as long.
BEHIND_AFTER = 3

# A plan that is made while little is old, and kept, would sort all that is old for every page.
IN_ORDER = "SET enable_bitmapscan = off"
# Sooner than the server would end the transaction, and the connection of all other steps with it.
_IN_TIME = "SELECT set_config('statement_timeout', $1, false)"
_TRY_LOCK = "SELECT pg_try_advisory_lock(hashtextextended('retention ' || $1, 0))"

# By a gateway or a command that died over it.
_LEFT = "SELECT profile FROM erasures WHERE asked_at < now() - interval '1 minute' ORDER BY profile <= $1, profile LIMIT 100"

_DELETE_REQUESTS = """
DELETE FROM requests WHERE ctid = ANY(ARRAY(
    -- An id may just be in use anew.
    SELECT ctid FROM requests WHERE expires_at <= now() LIMIT $1 FOR UPDATE SKIP LOCKED
))
"""


# Older than every batch, so it means none.
_DELETE_CANCELS = """
DELETE FROM cancels WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM cancels
    WHERE asked_at < coalesce((SELECT accepted_at FROM batches ORDER BY id LIMIT 1), now()) - interval '1 hour' LIMIT $1
))
"""
# Whose next moment is long over: nothing waits for it.
_DELETE_PACES = "DELETE FROM paces WHERE name IN (SELECT name FROM paces WHERE next_at < now() - interval '1 day' LIMIT $1)"


class OutOfTime(Exception):
    """There is more to delete than the time between two sweeps allows."""


class Retention:
    """A background job of every launcher; one at a time does it."""

    def __init__(self, settings: Settings, pool: asyncpg.Pool) -> None:
        self._settings = settings
        self._pool = pool
        self._behind = 0
        self._page = Portion(batches.PAGE)
        # The erasure that was tried last.
        self._stripped = b""

    async def run(self, stop: asyncio.Event) -> None:
        """Sweep again and again until `stop` is set; a sweep that is under way then ends where it is."""
        async with asyncio.TaskGroup() as tasks:
            sweeping = tasks.create_task(self._for_ever())
            tasks.create_task(stop.wait()).add_done_callback(lambda _: sweeping.cancel())

    async def _for_ever(self) -> None:
        while True:
            await asyncio.sleep(self._settings.retention_every.total_seconds())
            await self.sweep()

    def problems(self) -> list[str]:
        """What /readyz says."""
        if self._behind < BEHIND_AFTER:
            return []
        return [f"the last {self._behind} sweeps did not get through: what is over is not deleted, and fills the disks"]

    async def sweep(self) -> None:
        try:
            async with self._connection() as connection:
                if await connection.fetchval(_TRY_LOCK, self._settings.prefix):
                    await connection.execute(IN_ORDER)
                    await connection.execute(_IN_TIME, str(halving.LIMIT_MS))
                    self._note(await self._sweep(connection))
                else:
                    # Whoever swept last counts.
                    metrics.DEAD_LETTERS_KEPT.clear()
        except POSTGRES_ERRORS as error:
            self._note({"connection": error})

    @asynccontextmanager
    async def _connection(self) -> AsyncIterator[asyncpg.Connection]:
        """One whose lock and plans end with the sweep."""
        async with self._pool.acquire() as connection:
            try:
                yield connection
                await connection.execute(connection.get_reset_query())
            except BaseException:
                connection.terminate()
                raise

    async def _sweep(self, connection: asyncpg.Connection) -> dict[str, Exception]:
        """Each step by itself: what stops one keeps no other from its work. Returns what went wrong."""
        # What is put off meanwhile comes after it.
        now = await connection.fetchval("SELECT now()")
        steps: dict[str, Callable[[asyncpg.Connection], Awaitable[int]]] = {
            "requests": partial(self._delete, _DELETE_REQUESTS),
            "records": self._delete_records,
            "dead_letters": self._delete_letters,
            "erasures": self._finish_erasures,
            "cancels": partial(self._delete, _DELETE_CANCELS),
            "paces": partial(self._delete, _DELETE_PACES),
            "batches": partial(self._delete_batches, now),
        }
        done: dict[str, int] = {}
        failed: dict[str, Exception] = {}
        for name, step in steps.items():
            try:
                done[name] = await step(connection)
            except (BrokerUnavailable, OutOfTime, *POSTGRES_ERRORS) as error:
                failed[name] = error
        log.info("swept", **done)
        return failed

    def _note(self, failed: dict[str, Exception]) -> None:
        self._behind = self._behind + 1 if failed else 0
        metrics.SWEEPS_BEHIND.set(self._behind)
        for name, error in failed.items():
            # Nothing waits for it, and the next sweep does what this one left; but not for ever.
            say = log.error if self._behind >= BEHIND_AFTER else log.warning
            say("sweep_interrupted", step=name, why=type(error).__name__, sweeps=self._behind)

    async def _delete(self, statement: str, connection: asyncpg.Connection) -> int:
        async def some(most: int) -> int:
            return affected(await connection.execute(statement, most))

        return await until_none(some, ROWS)

    async def _delete_records(self, connection: asyncpg.Connection) -> int:
        return await records.delete(connection, self._settings)

    async def _delete_letters(self, connection: asyncpg.Connection) -> int:
        replayed = await letters.drop_replayed(connection, self._settings.batch_kept)
        expired = await letters.drop_expired(connection, self._settings.dead_letters_kept)
        return replayed + expired + await letters.drop_surplus(connection, self._settings.dead_letters_limit)

    async def _finish_erasures(self, connection: asyncpg.Connection) -> int:
        left = await connection.fetch(_LEFT, self._stripped)
        for row in left:
            # Before it is tried: if it cannot be finished, the next sweep comes to it as the last.
            self._stripped = row["profile"]
            await strip(connection, row["profile"])
        return len(left)

    async def _delete_batches(self, now: datetime, connection: asyncpg.Connection) -> int:
        given, every = self._settings, self._settings.retention_every
        caught_up = await records.caught_up(connection, given)
        terms = batches.Terms(given.batch_kept, given.failures_kept, given.dead_letters_kept, every, caught_up)
        until, deleted = time.monotonic() + every.total_seconds(), 0
        while page := await slices.sweep(connection, now, terms, self._page):
            deleted += page.deleted
            if not page.moved:
                # Somebody uses all of them.
                break
            if time.monotonic() > until:
                raise OutOfTime
        return deleted
