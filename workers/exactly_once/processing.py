"""A chunk's effects inside a transaction: the room does its part, and what will not pass is found and buried."""

from collections.abc import Sequence

import asyncpg
import structlog

from schemas import metrics
from schemas.topics import M, Outgoing
from workers.exactly_once import dead_letters, line
from workers.exactly_once.chunks import Entry, halves
from workers.exactly_once.room import Room, Unprocessable

log = structlog.get_logger()

# Only what the data itself is to blame for; a missing table must not drain a topic into dead letters.
REFUSED = (asyncpg.DataError, asyncpg.IntegrityConstraintViolationError, asyncpg.ProgramLimitExceededError)

Processed = tuple[list[Entry[M]], list[Outgoing]]


async def process(connection: asyncpg.Connection, room: Room[M], chunk: Sequence[Entry[M]], bisecting: bool) -> Processed[M]:
    """The chunk with its culprits buried, and what goes to the next topic.

    Raises what the database refuses, unless it may bisect; `LineStopped` if the code is to blame.
    """
    chunk, outgoing = await _passed(connection, room, chunk, bisecting)
    buried = [entry for entry in chunk if entry.message is None]
    if buried:
        deaths = [entry.dead() for entry in buried]
        line.hold_if_broken(deaths, len(chunk), await dead_letters.accounts(connection, deaths))
        await dead_letters.bury(connection, buried)
        await room.fail(connection, deaths)
        metrics.DEAD_LETTERS.labels(buried[0].record.topic).inc(len(buried))
    return chunk, outgoing


async def _passed(connection: asyncpg.Connection, room: Room[M], chunk: Sequence[Entry[M]], bisecting: bool) -> Processed[M]:
    """Each half under a savepoint of its own, so that a culprit is found without giving up what has passed."""
    living = [at for at, entry in enumerate(chunk) if entry.message is not None]
    try:
        async with connection.transaction():
            return list(chunk), await room.apply(connection, [entry.message for entry in chunk if entry.message is not None])
    except Unprocessable as error:
        culprits = {living[index] for index in error.indexes}
        return await _passed(connection, room, _without(chunk, culprits, error.reason), bisecting)
    except REFUSED as refusal:
        if not bisecting or not living:
            raise
        if len(chunk) == 1:
            log.warning("message_refused", topic=chunk[0].record.topic, offset=chunk[0].record.offset, sqlstate=refusal.sqlstate)
            return _without(chunk, {0}, f"refused by the database: {refusal.sqlstate}"), []
    first, second = [await _passed(connection, room, half, bisecting) for half in halves(chunk)]
    return first[0] + second[0], first[1] + second[1]


def _without(chunk: Sequence[Entry[M]], culprits: set[int], reason: str) -> list[Entry[M]]:
    return [entry.buried(reason) if at in culprits else entry for at, entry in enumerate(chunk)]
