"""The pipeline: requests over HTTP, answered with every id; then every launch's row in place."""

import asyncio
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass

import asyncpg

from bench.account import PATH
from bench.client import Answer, Connection, connected
from bench.profiles import Row
from bench.requests import named, starting
from schemas.ids import new_id

AT_ONCE = 4
_LOOK = 0.02

# Batches of the API have ids that begin with their time; those that the bench writes itself come after them.
_SCHEDULED = "SELECT coalesce(sum(cardinality(items)), 0) FROM launches WHERE batch > $1 AND batch < '\\xff'"


@dataclass(frozen=True)
class Taken:
    """Seconds until the last answer, and until the last launch's row."""

    answered: float
    scheduled: float


async def store(api: str, pool: asyncpg.Pool, requests: Sequence[Sequence[Row]]) -> Taken:
    """Post the requests, a few at a time, and wait for their launches."""
    bodies = [starting(named(rows)) for rows in requests]
    before, total = new_id(), sum(map(len, requests))
    began = time.perf_counter()
    await answered(api + PATH, bodies, len(requests[0]))
    taken = time.perf_counter() - began
    while await pool.fetchval(_SCHEDULED, before) < total:
        await asyncio.sleep(_LOOK)
    return Taken(taken, time.perf_counter() - began)


async def answered(url: str, bodies: Sequence[bytes], profiles: int) -> None:
    """Return when each body was answered with an id for each of so many profiles."""
    await posted(url, bodies, lambda answer: answer.ids(profiles))


async def posted(url: str, bodies: Sequence[bytes], check: Callable[[Answer], None]) -> None:
    left = iter(bodies)

    async def work(connection: Connection) -> None:
        for body in left:
            check(await connection.post(body))

    async with connected(url, min(AT_ONCE, len(bodies))) as connections:
        await asyncio.gather(*map(work, connections))
