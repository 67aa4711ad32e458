"""Goes on after the database was restored from a dump that is older than the topics.

What matchers announced after the dump names profiles that the dump does not know, in chunks that will be cut otherwise. Of one
chunk that was announced twice, cut in two ways, some items would be launched twice and others never: so launchers begin behind
all of it. What the dump does know was announced before the first of these, or lies in an outbox; it is published once more.
Nobody can tell of a message without readable headers: it is, too, and ends as a dead letter.
"""

from collections.abc import AsyncIterator, Mapping, Sequence
from dataclasses import dataclass

from sqlalchemy import select, tuple_

from profuse.positions import broker
from profuse.positions.looking import placeable, refuse_workers
from profuse.positions.moving import move_within
from profuse.positions.planning import END, Move, moves
from profuse.positions.standing import MEANINGS, RELIABLE, Standing
from profuse.postgres import transaction
from runtime.errors import CannotRun
from runtime.producer import open_publisher
from schemas.ids import unpack
from schemas.messages import NewerVersion, ProfilesMatched, Unreadable
from schemas.settings import Settings
from schemas.tables import batches, results
from schemas.topics import IMPORTS, MATCHES, Outgoing
from workers.exactly_once.chunks import Record, origin


@dataclass(frozen=True)
class Foreseen:
    """What workers will find behind the positions of the dump."""

    moves: Sequence[Move]
    # Items that are matched from now on, and those among them whose batch the dump does not know: they become dead letters.
    items: int = 0
    unknown: int = 0
    # Messages of the dump that are announced once more, and those of the time after it that are left out.
    kept: int = 0
    dropped: int = 0


async def foresee(settings: Settings) -> Foreseen:
    """Raises `CannotRun` where the topics are not those of the dump, or workers read them."""
    imports, matches = [await _of_the_dump(settings, topic.name) for topic in (IMPORTS, MATCHES)]
    items = unknown = kept = dropped = 0
    async for page in _pages(settings, imports):
        items, unknown = items + len(page), unknown + len(page) - await _known(settings, page)
    async for page in _pages(settings, matches):
        found = len(await _announced(settings, page))
        kept, dropped = kept + found, dropped + len(page) - found
    return Foreseen(moves(matches, END, ()), items, unknown, kept, dropped)


async def go_on(settings: Settings, foreseen: Foreseen) -> None:
    """Safe to repeat: what is published twice is scheduled once."""
    await refuse_workers(settings, IMPORTS.name)
    await refuse_workers(settings, MATCHES.name)
    topic = settings.topic(MATCHES.name)
    with broker.in_a_line(settings):
        async with open_publisher(settings) as publisher:
            async for page in _pages(settings, [each.standing for each in foreseen.moves]):
                again = await _announced(settings, page)
                await publisher.publish([Outgoing(topic, each.key or b"", each.value or b"", _headers(each)) for each in again])
    async with transaction(settings) as connection:
        await move_within(connection, topic, foreseen.moves)


async def _of_the_dump(settings: Settings, topic: str) -> list[Standing]:
    await refuse_workers(settings, topic)
    found = await placeable(settings, topic)
    for each in found:
        if each.state not in RELIABLE:
            raise CannotRun(
                f"{topic}/{each.partition} {MEANINGS[each.state]}: docs/operations.md says how to go on (restore), "
                f"`profuse positions set {topic} start` may be what is meant."
            )
    return found


async def _pages(settings: Settings, standings: Sequence[Standing]) -> AsyncIterator[list[Record]]:
    """What lies between the positions and the ends."""
    async with broker.asked(settings) as consumer:
        for each in standings:
            if each.row is not None and each.range is not None:
                topic = settings.topic(each.topic)
                async for page in broker.records(consumer, topic, each.partition, each.row.position, each.range.end):
                    yield page


async def _known(settings: Settings, page: Sequence[Record]) -> int:
    """How many of these items are of a batch that exists; one that does not say it is counted as unknown."""
    named = [origin(record.headers)[0] for record in page]
    async with transaction(settings) as connection:
        wanted = {batch for batch in named if batch}
        found = set((await connection.execute(select(batches.c.id).where(batches.c.id.in_(wanted)))).scalars())
    return sum(batch in found for batch in named)


async def _announced(settings: Settings, page: Sequence[Record]) -> list[Record]:
    """Those that tell of results that exist: both were written by one transaction."""
    named = [origin(record.headers) for record in page]
    wanted = {each for each in named if None not in each}
    columns = (results.c.batch, results.c.chunk, results.c["items"], results.c.profiles)
    async with transaction(settings) as connection:
        rows = await connection.execute(select(*columns).where(tuple_(results.c.batch, results.c.chunk).in_(wanted)))
        stored = {(batch, chunk): dict(zip(items, unpack(profiles), strict=False)) for batch, chunk, items, profiles in rows}
    return [record for record, each in zip(page, named, strict=True) if None in each or _tells_of(record, stored.get(each))]


def _tells_of(record: Record, stored: Mapping[int, bytes] | None) -> bool:
    """Also by its profiles: of a dead letter that was replayed after the dump there is a row of that name, which says otherwise."""
    if stored is None:
        return False
    try:
        message = ProfilesMatched.decode(record.value)
    except (Unreadable, NewerVersion):
        return True
    return stored.items() >= dict(zip(message.items, unpack(bytes.fromhex(message.profiles)), strict=True)).items()


def _headers(record: Record) -> tuple[tuple[str, bytes], ...]:
    return tuple((name, value or b"") for name, value in record.headers)
