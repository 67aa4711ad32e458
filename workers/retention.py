"""Deletes what is over: batches with all that is their own, Request-IDs, replayed dead letters, processed records."""

import asyncio
import time
from contextlib import suppress
from datetime import timedelta

import asyncpg
import structlog

from schemas.settings import Settings
from workers.kafka import BrokerUnavailable, delete_records
from workers.postgres import AWAY

log = structlog.get_logger()

# A batch takes its attachments, results and launches along.
PAGE = 200
ROWS = 10_000
# How far a gateway's clock, which ids begin with, may be from the database's.
_CLOCKS_DIFFER = timedelta(hours=1)

# What is not due is not over, and there may be millions of it.
_OLD = "SELECT id FROM batches WHERE id > $1 AND id < $2 AND accepted_at < now() - $3::interval AND due_at < now() ORDER BY id LIMIT $4"

_DELETE_BATCHES = """
DELETE FROM batches WHERE id IN (
    SELECT b.id FROM batches b JOIN batch_progress p ON p.batch = b.id
    WHERE b.id = ANY($1)
    -- What the broker has is answered, however long that takes; what it never got is over with its Request-ID.
    AND (p.imported + p.failed = p.total OR b.published_at IS NULL)
    -- Those that expired are gone by now.
    AND NOT EXISTS (SELECT FROM requests r WHERE r.batch = b.id)
    -- A replay needs the batch.
    AND NOT EXISTS (SELECT FROM dead_letters d WHERE d.batch = b.id AND d.replayed_at IS NULL)
    AND NOT EXISTS (SELECT FROM launches l WHERE l.batch = b.id AND l.finished_at IS NULL)
    -- Launchers may be behind: every imported item has a launch, so none is still on its way.
    AND p.imported = (
        SELECT coalesce(sum(cardinality(l.items)), 0) FROM launches l WHERE l.batch = b.id AND l.trigger = b.trigger AND l.attempt = 0
    )
    -- Whoever uses it may go on using it; the next sweep looks again.
    FOR UPDATE OF b SKIP LOCKED
)
"""
_DELETE_REQUESTS = """
DELETE FROM requests WHERE ctid = ANY(ARRAY(
    -- An id may just be in use anew.
    SELECT ctid FROM requests WHERE expires_at <= now() LIMIT $1 FOR UPDATE SKIP LOCKED
))
"""
_DELETE_LETTERS = "DELETE FROM dead_letters WHERE replayed_at < now() - $1::interval"


class Retention:
    """A background job of every launcher; one at a time does it."""

    def __init__(self, settings: Settings, pool: asyncpg.Pool) -> None:
        self._settings = settings
        self._pool = pool

    async def run(self, stop: asyncio.Event) -> None:
        """Sweep again and again until `stop` is set."""
        while not stop.is_set():
            with suppress(TimeoutError):
                async with asyncio.timeout(self._settings.retention_every.total_seconds()):
                    await stop.wait()
                    return
            try:
                await self.sweep()
            except (BrokerUnavailable, *AWAY) as error:
                # Nothing waits for it; the next sweep does what this one left.
                log.warning("sweep_interrupted", why=type(error).__name__)

    async def sweep(self) -> None:
        async with self._pool.acquire() as connection:
            # Let go with the connection.
            if not await connection.fetchval("SELECT pg_try_advisory_lock(hashtextextended('retention ' || $1, 0))", self._settings.prefix):
                return
            requests = await _repeated(connection, _DELETE_REQUESTS)
            batches = await self._delete_batches(connection)
            letters = _count(await connection.execute(_DELETE_LETTERS, self._settings.batch_kept))
            records = await self._delete_records(connection)
        log.info("swept", batches=batches, requests=requests, dead_letters=letters, records=records)

    async def _delete_batches(self, connection: asyncpg.Connection) -> int:
        kept, deleted, last = self._settings.batch_kept, 0, b""
        # Ids begin with their time, so that the younger ones need not be looked at.
        newest = int((time.time() + (_CLOCKS_DIFFER - kept).total_seconds()) * 1000).to_bytes(6, "big")
        while page := await connection.fetch(_OLD, last, newest, kept, PAGE):
            last = page[-1]["id"]
            deleted += _count(await connection.execute(_DELETE_BATCHES, [row["id"] for row in page]))
        return deleted

    async def _delete_records(self, connection: asyncpg.Connection) -> int:
        rows = await connection.fetch("SELECT topic, partition, position FROM progress")
        # The record that was processed last tells its topic from one that was made anew.
        below = {(row["topic"], row["partition"]): row["position"] - 1 for row in rows}
        return await delete_records(self._settings, below, time.time() - self._settings.records_kept.total_seconds())


async def _repeated(connection: asyncpg.Connection, statement: str) -> int:
    total = 0
    while deleted := _count(await connection.execute(statement, ROWS)):
        total += deleted
    return total


def _count(status: str) -> int:
    return int(status.removeprefix("DELETE "))
