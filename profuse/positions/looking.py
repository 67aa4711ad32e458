"""Both servers asked at once: where a topic's partitions stand."""

from collections.abc import Mapping, Sequence
from typing import Any

from sqlalchemy import select
from sqlalchemy.ext.asyncio import AsyncConnection

from profuse.positions import broker
from profuse.positions.standing import Row, Standing
from profuse.postgres import transaction
from runtime.errors import CannotRun
from schemas.settings import Settings
from schemas.tables import progress
from schemas.topics import IMPORTS, MATCHES

ROOMS = {IMPORTS.name: "matcher", MATCHES.name: "launcher"}
"""The topics that have positions, and who reads them."""


def topics(named: str | None) -> Sequence[str]:
    """That topic, or all; raises `CannotRun`."""
    if named is not None and named not in ROOMS:
        raise CannotRun(f"The topic {named or '(nothing)'} has no positions: say {' or '.join(ROOMS)}.")
    return list(ROOMS) if named is None else [named]


async def look(settings: Settings, topic: str) -> list[Standing]:
    """All partitions that the topic has, or that there is a position for."""
    async with transaction(settings) as connection:
        stored = await rows(connection, settings.topic(topic))
    async with broker.asked(settings) as consumer:
        ranges = await broker.ranges(settings, consumer, settings.topic(topic), {number: row.position for number, row in stored.items()})
        working = await broker.workers(settings, ROOMS[topic])
    return [
        Standing(topic, number, stored.get(number), ranges.get(number), _readers(working, number))
        for number in sorted(stored.keys() | ranges.keys())
    ]


async def placeable(settings: Settings, topic: str) -> list[Standing]:
    """The same of a topic whose positions can be moved; raises `CannotRun` where it is not there."""
    found = await look(settings, topic)
    if not any(each.range for each in found):
        raise CannotRun(f"Kafka has no topic {settings.topic(topic)}: run `profuse migrate` first.")
    return found


async def refuse_workers(settings: Settings, topic: str) -> None:
    """Raises `CannotRun` while any belongs to the topic's group."""
    with broker.in_a_line(settings):
        working = await broker.workers(settings, room := ROOMS[topic])
    if working:
        raise CannotRun(
            f"{len(working)} {room}s read {topic}, at {', '.join(sorted(working))}: stop them first (`profuse up --{room}s 0`); "
            f"one that was killed is counted for {settings.session_timeout.total_seconds():.0f} s"
        )


async def rows(connection: AsyncConnection, topic: str, *, lock: bool = False) -> dict[int, Row]:
    """The positions, by partition, in everybody's order."""
    statement = select(progress).where(progress.c.topic == topic).order_by(progress.c.topic, progress.c.partition)
    found: Any = (await connection.execute(statement.with_for_update(key_share=True) if lock else statement)).all()
    return {row.partition: Row(row.position, row.fingerprint, row.fence, row.holder) for row in found}


def _readers(working: Mapping[str, Sequence[int]], number: int) -> tuple[str, ...]:
    return tuple(sorted(name for name, numbers in working.items() if number in numbers))
