"""A chunk's way into Postgres: prepared, fenced, applied and moved past in one transaction, then published."""

import time
from collections.abc import Sequence
from typing import Generic

import asyncpg
import structlog

from runtime.crash_points import crash_point
from runtime.tracing import traces
from schemas import metrics
from schemas.settings import Settings
from schemas.topics import DEAD_LETTERS, M, Outgoing
from workers.exactly_once import dead_letters, progress
from workers.exactly_once.chunks import Entry, by_partition, halves
from workers.exactly_once.circuit_breaker import CircuitBreaker
from workers.exactly_once.handler import Handler, TooMuch
from workers.exactly_once.outbox import Outbox
from workers.exactly_once.ownership import Ownership
from workers.exactly_once.preparing import Count, prepare
from workers.exactly_once.processing import Burial, applied, attempts, burial_of, searched
from workers.exactly_once.trouble import CUT_SHORT, Culprit, Overlong, is_overlong, unit_of_work

log = structlog.get_logger()


class Committing(Generic[M]):
    """Gives chunks to the handler, and moves their positions with what the room does."""

    def __init__(self, settings: Settings, handler: Handler[M], pool: asyncpg.Pool, outbox: Outbox) -> None:
        self._handler = handler
        self._pool = pool
        self._outbox = outbox
        self._topic = settings.topic(handler.topic.name)
        self._notices = settings.topic(DEAD_LETTERS.name)
        self._breaker = CircuitBreaker()
        # Of the chunk at hand: in seconds, and how many of its messages were still ours.
        self._applying, self._moved = 0.0, 0

    async def settle(self, chunk: Sequence[Entry[M]], owned: Ownership, count: Count) -> float:
        """Commit the chunk; what will not pass is searched for, and buried alone.

        Returns the seconds that preparing and applying took: what a smaller chunk would take less of.
        Raises `Overlong`, `LineStopped`, what the servers raise, and `Culprit` if it is none alone.
        """
        began = time.monotonic()
        crash_point("stream:read")
        with traces().chunk(self._topic, (entry.record.headers for entry in chunk)):
            chunk = await prepare(self._handler, chunk, count)
            preparing, self._applying = time.monotonic() - began, 0.0
            self._moved = 0
            crash_point("stream:prepared")
            await self._settled(chunk, owned, count)
        seconds = time.monotonic() - began
        metrics.CHUNK_SECONDS.labels(self._topic).observe(seconds)
        log.info("chunk_committed", topic=self._topic, messages=self._moved, ms=round(seconds * 1000))
        return preparing + self._applying

    async def _settled(self, chunk: Sequence[Entry[M]], owned: Ownership, count: Count, *, searching: bool = True) -> None:
        try:
            await self._tried(chunk, owned)
        except TooMuch as error:
            for part in halves(chunk) if len(chunk) > 1 else [[chunk[0].buried(str(error))]]:
                await self._settled(part, owned, count, searching=searching)
                # Each is a step, though none of preparing: all of them may take minutes.
                count(0)
        except Culprit as error:
            if not searching:
                raise
            await self._settled(await searched(self._pool, self._handler, chunk, error), owned, count, searching=False)

    async def _tried(self, chunk: Sequence[Entry[M]], owned: Ownership) -> None:
        async for attempt in attempts():
            with attempt, unit_of_work:
                await self._commit(chunk, owned)

    async def _commit(self, chunk: Sequence[Entry[M]], owned: Ownership) -> None:
        """Effects, dead letters, outbox and positions in one transaction; then publish, but wait for that only before the next one."""
        await self._outbox.confirmed()
        async with self._pool.acquire() as connection:
            ours, burial, outgoing = await self._transacted(connection, chunk, owned)
        crash_point("stream:committed")
        self._moved += len(ours)
        metrics.MESSAGES.labels(self._topic).inc(len(ours))
        self._breaker.went_on(burial.deaths, len(ours), burial.accounts)
        dead_letters.tell(self._topic, burial.deaths)
        owned.advance(ours)
        self._outbox.publish(outgoing)
        await self._handler.committed([entry.message for entry in ours if entry.message is not None])

    async def _transacted(
        self, connection: asyncpg.Connection, chunk: Sequence[Entry[M]], owned: Ownership
    ) -> tuple[Sequence[Entry[M]], Burial, list[Outgoing]]:
        begun: float | None = None
        try:
            async with connection.transaction():
                ours = await self._fenced(connection, chunk, owned)
                begun = time.monotonic()
                crash_point("stream:locked")
                burial = await burial_of(connection, ours, self._breaker)
                outgoing = await applied(connection, self._handler, ours, burial.deaths)
                await dead_letters.bury(connection, burial.dead)
                outgoing = traces().stamped(outgoing) + [dead_letters.notice(self._notices, *each) for each in burial.dead]
                crash_point("stream:applied")
                if ours:
                    await progress.move(connection, self._topic, ours, outgoing)
                self._applying += time.monotonic() - begun
                crash_point("stream:moved")
        except CUT_SHORT as error:
            # The database had just answered: the chunk may have done it.
            raise Overlong if begun is not None and is_overlong(error, time.monotonic() - begun) else error from error
        return ours, burial, outgoing

    async def _fenced(self, connection: asyncpg.Connection, chunk: Sequence[Entry[M]], owned: Ownership) -> list[Entry[M]]:
        """Lock the positions and keep the partitions that stand where this chunk begins; somebody else moved the others."""
        parts = dict(by_partition(chunk))
        positions = await progress.lock(connection, self._topic, list(parts))
        moved = [each for each, entries in parts.items() if positions.get(each) != owned.stand(each, entries[0].record.offset)]
        if moved:
            log.warning("partitions_moved", topic=self._topic, partitions=moved)
            owned.release(moved)
        return [entry for partition, entries in parts.items() if partition not in moved for entry in entries]
