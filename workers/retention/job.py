"""The job: sweeps again and again, step by step, and says so when it does not get through."""

import asyncio
import time
from collections.abc import Awaitable, Callable
from datetime import datetime, timedelta
from functools import partial

import asyncpg
import structlog

from schemas import metrics
from schemas.settings import Settings
from schemas.topics import IMPORTS
from workers.kafka import BrokerUnavailable, caught_up, delete_records
from workers.postgres import AWAY
from workers.retention import batches, letters

log = structlog.get_logger()

ROWS = 10_000
# Then somebody has to look: what should go has been staying for as long.
BEHIND_AFTER = 3
# How far a gateway's clock, which records carry, may be from the database's.
_CLOCKS_DIFFER = timedelta(hours=1)

# A plan that is made while little is old, and kept, would sort all that is old for every page.
IN_ORDER = "SET enable_bitmapscan = off"
_TRY_LOCK = "SELECT pg_try_advisory_lock(hashtextextended('retention ' || $1, 0))"
_UNLOCK = "SELECT pg_advisory_unlock(hashtextextended('retention ' || $1, 0))"

_DELETE_REQUESTS = """
DELETE FROM requests WHERE ctid = ANY(ARRAY(
    -- An id may just be in use anew.
    SELECT ctid FROM requests WHERE expires_at <= now() LIMIT $1 FOR UPDATE SKIP LOCKED
))
"""


class OutOfTime(Exception):
    """There is more to delete than the time between two sweeps allows."""


class Retention:
    """A background job of every launcher; one at a time does it."""

    def __init__(self, settings: Settings, pool: asyncpg.Pool) -> None:
        self._settings = settings
        self._pool = pool
        self._behind = 0

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
            async with self._pool.acquire() as connection:
                if await connection.fetchval(_TRY_LOCK, self._settings.prefix):
                    await connection.execute(IN_ORDER)
                    self._note(await self._sweep(connection))
                    # Or else with the connection.
                    await connection.execute(_UNLOCK, self._settings.prefix)
                else:
                    # Whoever swept last counts.
                    metrics.DEAD_LETTERS_KEPT.clear()
        except AWAY as error:
            self._note({"connection": error})

    async def _sweep(self, connection: asyncpg.Connection) -> dict[str, Exception]:
        """Each step by itself: what stops one keeps no other from its work. Returns what went wrong."""
        # What is put off meanwhile comes after it.
        now = await connection.fetchval("SELECT now()")
        steps: dict[str, Callable[[asyncpg.Connection], Awaitable[int]]] = {
            "requests": self._delete_requests,
            "records": self._delete_records,
            "dead_letters": self._delete_letters,
            "batches": partial(self._delete_batches, now),
        }
        done: dict[str, int] = {}
        failed: dict[str, Exception] = {}
        for name, step in steps.items():
            try:
                done[name] = await step(connection)
            except (BrokerUnavailable, OutOfTime, *AWAY) as error:
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

    async def _delete_requests(self, connection: asyncpg.Connection) -> int:
        total = 0
        while deleted := int((await connection.execute(_DELETE_REQUESTS, ROWS)).removeprefix("DELETE ")):
            total += deleted
        return total

    async def _delete_records(self, connection: asyncpg.Connection) -> int:
        # The record that was processed last tells its topic from one that was made anew.
        below = {partition: position - 1 for partition, position in (await _positions(connection)).items()}
        return await delete_records(self._settings, below, time.time() - self._settings.records_kept.total_seconds())

    async def _delete_letters(self, connection: asyncpg.Connection) -> int:
        replayed = await letters.drop_replayed(connection, self._settings.batch_kept)
        expired = await letters.drop_expired(connection, self._settings.dead_letters_kept)
        return replayed + expired + await letters.drop_surplus(connection, self._settings.dead_letters_limit)

    async def _delete_batches(self, now: datetime, connection: asyncpg.Connection) -> int:
        every, kept = self._settings.retention_every, self._settings.batch_kept
        terms = batches.Terms(kept, every, await self._caught_up(connection))
        until, deleted = time.monotonic() + every.total_seconds(), 0
        while page := await batches.sweep(connection, now, terms):
            deleted += page.deleted
            if not page.moved:
                # Somebody uses all of them.
                break
            if time.monotonic() > until:
                raise OutOfTime
        return deleted

    async def _caught_up(self, connection: asyncpg.Connection) -> bool:
        """Whether matchers have processed all that was published before the batches that are old now were given up."""
        positions = {each: at for each, at in (await _positions(connection)).items() if each[0] == self._settings.topic(IMPORTS.name)}
        kept = self._settings.batch_kept
        before = time.time() - (kept - min(_CLOCKS_DIFFER, kept / 2)).total_seconds()
        try:
            return not positions or await caught_up(self._settings, positions, before)
        except BrokerUnavailable:
            # Only what was never published whole has to wait for it.
            return False


async def _positions(connection: asyncpg.Connection) -> dict[tuple[str, int], int]:
    rows = await connection.fetch("SELECT topic, partition, position FROM progress")
    return {(row["topic"], row["partition"]): row["position"] for row in rows}
