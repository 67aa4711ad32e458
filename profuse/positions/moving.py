"""Moves positions: all of them in one transaction, under a new fence, and only from where they were when it was planned."""

from collections.abc import Sequence

from sqlalchemy import and_, false, func, or_, select, update
from sqlalchemy.dialects.postgresql import insert
from sqlalchemy.ext.asyncio import AsyncConnection

from profuse.positions.looking import refuse_workers, rows
from profuse.positions.planning import Move, misleading
from profuse.postgres import transaction
from runtime.errors import CannotRun
from schemas.settings import Settings
from schemas.tables import dead_letters, progress


async def move(settings: Settings, topic: str, moves: Sequence[Move]) -> None:
    """Raises `CannotRun` while a worker reads the topic, or something has changed since the moves were planned."""
    await refuse_workers(settings, topic)
    async with transaction(settings) as connection:
        await move_within(connection, settings.topic(topic), moves)


async def move_within(connection: AsyncConnection, topic: str, moves: Sequence[Move]) -> None:
    """Who began to read meanwhile, or is frozen, finds another fence and moves nothing."""
    await _refuse_letters(connection, topic, moves)
    found = await rows(connection, topic, lock=True)
    for each in moves:
        if found.get(number := each.standing.partition) != each.standing.row:
            raise CannotRun(f"The position of {each.standing.topic}/{number} has changed meanwhile: ask again.")
    for each in moves:
        # What a committed transaction still has to publish stays with the row; whoever ended before has not tried what comes next.
        begun = {"position": each.to, "fingerprint": None, "trying": False, "deaths": 0}
        where = and_(progress.c.topic == topic, progress.c.partition == each.standing.partition)
        if each.standing.row is None:
            await connection.execute(insert(progress).values(topic=topic, partition=each.standing.partition, **begun))
        else:
            await connection.execute(update(progress).where(where).values(fence=progress.c.fence + 1, **begun))


async def _refuse_letters(connection: AsyncConnection, topic: str, moves: Sequence[Move]) -> None:
    """Letters are known by their offsets: in a topic that was made anew the next one would take the place of an old one."""
    ahead = [
        and_(dead_letters.c.partition == each.standing.partition, dead_letters.c.offset >= each.to) for each in moves if misleading(each)
    ]
    waiting = select(func.count()).where(dead_letters.c.topic == topic, dead_letters.c.replayed_at.is_(None), or_(false(), *ahead))
    count = (await connection.execute(waiting)).scalar_one()
    if count:
        name = moves[0].standing.topic
        raise CannotRun(
            f"{count} dead letters of {name} are known by offsets that mean other records from now on: "
            f"`profuse dead-letters replay --topic {name}` or `drop` them first."
        )
