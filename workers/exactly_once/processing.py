"""A chunk's effects inside a transaction: the room does its part, and what will not pass is found and buried."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import asyncpg
import structlog

from schemas.topics import M, Outgoing
from workers.exactly_once import dead_letters
from workers.exactly_once.chunks import Entry, Record, halves
from workers.exactly_once.line import Line
from workers.exactly_once.room import Dead, Room
from workers.exactly_once.trouble import Culprit, passes, unit_of_work

log = structlog.get_logger()

# Of a message that is alone, because a surprise may be over by then.
_ATTEMPTS = 3

Passed = tuple[list[Entry[M]], list[Outgoing]]
"""A chunk with its culprits buried, and what goes to the next topic."""


@dataclass(frozen=True)
class Burial:
    """What a chunk's transaction sets aside."""

    dead: Sequence[tuple[Record, Dead]] = ()
    accounts: Mapping[bytes, int] = field(default_factory=dict)

    @property
    def deaths(self) -> list[Dead]:
        return [dead for _, dead in self.dead]


async def process(connection: asyncpg.Connection, room: Room[M], chunk: Sequence[Entry[M]], *, bisecting: bool) -> Passed[M]:
    """Raises what the room raises, unless it may bisect."""
    return await _bisected(connection, room, chunk) if bisecting else (list(chunk), await _applied(connection, room, chunk))


async def bury(connection: asyncpg.Connection, room: Room[M], chunk: Sequence[Entry[M]], line: Line) -> Burial:
    """Set aside what cannot be processed, and answer its items; raises `LineStopped` if the code is to blame."""
    buried = [entry for entry in chunk if entry.message is None]
    if not buried:
        return Burial()
    origins = await dead_letters.origins(connection, [entry.dead() for entry in buried])
    accounts = {batch: origin.account for batch, origin in origins.items()}
    burial = Burial([(entry.record, dead_letters.placed(entry.dead(), origins)) for entry in buried], accounts)
    line.hold_if_broken(burial.deaths, len(chunk), accounts)
    await dead_letters.bury(connection, burial.dead)
    await room.fail(connection, burial.deaths)
    return burial


async def _bisected(connection: asyncpg.Connection, room: Room[M], chunk: Sequence[Entry[M]], attempt: int = 1) -> Passed[M]:
    """Each half under a savepoint of its own, so that a culprit is found without giving up what has passed."""
    try:
        with unit_of_work:
            async with connection.transaction():
                return list(chunk), await _applied(connection, room, chunk)
    except Culprit as error:
        if len(chunk) == 1 and passes(error) and attempt < _ATTEMPTS:
            return await _bisected(connection, room, chunk, attempt + 1)
        if len(chunk) == 1:
            log.warning("message_refused", topic=chunk[0].record.topic, offset=chunk[0].record.offset, why=str(error))
            return [chunk[0].buried(str(error))], []
    first, second = [await _bisected(connection, room, half) for half in halves(chunk)]
    return first[0] + second[0], first[1] + second[1]


async def _applied(connection: asyncpg.Connection, room: Room[M], chunk: Sequence[Entry[M]]) -> list[Outgoing]:
    return await room.apply(connection, [entry.prepared for entry in chunk if entry.message is not None])
