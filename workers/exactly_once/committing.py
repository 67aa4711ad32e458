"""A chunk's way into Postgres: fenced, applied and moved past in one transaction, then published."""

import time
from collections.abc import Sequence
from typing import Generic

import asyncpg
import structlog
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random

from schemas import metrics
from schemas.crashes import crash_point
from schemas.settings import Settings
from schemas.topics import DEAD_LETTERS, M
from workers.exactly_once import dead_letters, progress
from workers.exactly_once.chunks import Entry, by_partition
from workers.exactly_once.ownership import Ownership
from workers.exactly_once.processing import REFUSED, process
from workers.exactly_once.room import Dead, Room, Surprise
from workers.publisher import Publisher

log = structlog.get_logger()

# Raised again by the same data in the same state; another transaction may well see another state.
AGAIN = (Surprise, asyncpg.DeadlockDetectedError, asyncpg.SerializationError, asyncpg.IntegrityConstraintViolationError)

SET_ASIDE = "`profuse dead-letters list` shows them; when the cause is mended, `profuse dead-letters replay` sends them again."


class Committing(Generic[M]):
    """Gives chunks to the room, and moves their positions with what the room does."""

    def __init__(self, settings: Settings, room: Room[M], pool: asyncpg.Pool, publisher: Publisher) -> None:
        self._room = room
        self._pool = pool
        self._publisher = publisher
        self._topic = settings.topic(room.topic.name)
        self._notices = settings.topic(DEAD_LETTERS.name)

    async def settle(self, chunk: Sequence[Entry[M]], owned: Ownership) -> None:
        """Commit the chunk; what the database refuses again and again is searched for, and buried alone."""
        try:
            await self._tried(chunk, owned, bisecting=False)
        except REFUSED:
            await self._tried(chunk, owned, bisecting=True)

    async def _tried(self, chunk: Sequence[Entry[M]], owned: Ownership, *, bisecting: bool) -> None:
        attempts = AsyncRetrying(retry=retry_if_exception_type(AGAIN), stop=stop_after_attempt(3), wait=wait_random(0, 0.05), reraise=True)
        async for attempt in attempts:
            with attempt:
                await self._commit(chunk, owned, bisecting=bisecting)

    async def _commit(self, chunk: Sequence[Entry[M]], owned: Ownership, *, bisecting: bool) -> None:
        """Effects, dead letters, outbox and positions in one transaction; then publish."""
        began = time.monotonic()
        crash_point("stream:read")
        await self._room.prepare([entry.message for entry in chunk if entry.message is not None])
        crash_point("stream:prepared")
        async with self._pool.acquire() as connection, connection.transaction():
            ours = await self._fenced(connection, chunk, owned)
            crash_point("stream:locked")
            ours, outgoing = await process(connection, self._room, ours, bisecting)
            outgoing += [dead_letters.notice(self._notices, entry) for entry in ours if entry.message is None]
            crash_point("stream:applied")
            if ours:
                await progress.move(connection, self._topic, ours, outgoing)
            crash_point("stream:moved")
        crash_point("stream:committed")
        _tell([entry.dead() for entry in ours if entry.message is None])
        owned.advance(ours)
        await self._publisher.publish(outgoing)
        crash_point("stream:published")
        await self._room.committed([entry.message for entry in ours if entry.message is not None])
        metrics.CHUNK_SECONDS.labels(self._topic).observe(time.monotonic() - began)
        metrics.MESSAGES.labels(self._topic).inc(len(ours))
        log.info("chunk_committed", topic=self._topic, messages=len(ours), ms=round((time.monotonic() - began) * 1000))

    async def _fenced(self, connection: asyncpg.Connection, chunk: Sequence[Entry[M]], owned: Ownership) -> list[Entry[M]]:
        """Lock the positions and keep the partitions that stand where this chunk begins; somebody else moved the others."""
        parts = dict(by_partition(chunk))
        positions = await progress.lock(connection, self._topic, list(parts))
        moved = [partition for partition, entries in parts.items() if positions.get(partition) != entries[0].record.offset]
        if moved:
            log.warning("partitions_moved", topic=self._topic, partitions=moved)
            owned.release(moved)
        return [entry for partition, entries in parts.items() if partition not in moved for entry in entries]


def _tell(dead: Sequence[Dead]) -> None:
    """One line for all that a chunk set aside."""
    if dead:
        first = dead[0]
        where = {"topic": first.topic, "partition": first.partition, "offset": first.offset}
        log.error("messages_set_aside", **where, messages=len(dead), reason=first.reason, todo=SET_ASIDE)
