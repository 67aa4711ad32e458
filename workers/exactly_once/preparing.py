"""What a room makes of its messages before the transaction; a culprit is searched for by halves, and set aside alone."""

import asyncio
import time
from collections.abc import Callable, Sequence
from contextlib import aclosing
from typing import Any

import structlog

from schemas.topics import M
from workers.exactly_once.chunks import Entry, halves
from workers.exactly_once.handler import Handler, Unprocessable
from workers.exactly_once.trouble import Culprit, unit_of_work

log = structlog.get_logger()

# Seconds without a pause: so long the loop's other tasks, heartbeats among them, wait.
_SLICE = 0.02

Count = Callable[[int], None]
"""Told how many messages were prepared since it was told last: what counts as life."""


async def prepare(handler: Handler[M], chunk: Sequence[Entry[M]], count: Count) -> list[Entry[M]]:
    """The chunk with what `apply` needs of each message, and its culprits buried."""
    try:
        with unit_of_work:
            return await _prepared(handler, chunk, count)
    except Culprit as error:
        if len(chunk) == 1:
            log.warning("message_refused", topic=chunk[0].record.topic, offset=chunk[0].record.offset, why=str(error))
            return [chunk[0].buried(str(error))]
    return [entry for half in halves(chunk) for entry in await prepare(handler, half, count)]


async def _prepared(handler: Handler[M], chunk: Sequence[Entry[M]], count: Count) -> list[Entry[M]]:
    made: list[Any] = []
    paused, counted = time.monotonic(), 0
    async with aclosing(handler.prepare([entry.message for entry in chunk if entry.message is not None])) as preparing:
        async for each in preparing:
            made.append(each)
            if time.monotonic() - paused > _SLICE:
                count(len(made) - counted)
                await asyncio.sleep(0)
                paused, counted = time.monotonic(), len(made)
    rest = iter(made)
    return [entry if entry.message is None else _with(entry, next(rest)) for entry in chunk]


def _with(entry: Entry[M], made: Any) -> Entry[M]:
    if isinstance(made, Unprocessable):
        return entry.buried(made.reason)
    entry.prepared = made
    return entry
