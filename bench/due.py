"""Launches that fall due together, of a trigger that nothing else is launched by."""

import asyncio
import time
from collections.abc import Sequence
from datetime import timedelta

import asyncpg

from bench import filling
from bench.client import CannotMeasure

# What a matcher's chunk makes.
GROUP = 2_000
_POPULATION = 100_000
_LOOK = 0.05
_AHEAD = timedelta(seconds=3)

# All at once, or one after the other.
_FALL_DUE = """
UPDATE launches SET due_at = now() + $1::interval + nth * $2::interval, run_at = now() + $1::interval + nth * $2::interval
FROM (
    SELECT batch, row_number() OVER (ORDER BY batch) AS nth FROM launches WHERE batch >= '\\xffff' AND finished_at IS NULL
) AS each
WHERE launches.batch = each.batch RETURNING due_at
"""
_THEIRS = """
SELECT EXISTS (
    SELECT FROM launches WHERE account = 1 AND trigger = (SELECT id FROM triggers WHERE account = 1 AND number = $1)
        AND finished_at IS NULL AND run_at < 'infinity'
"""
_LEFT = f"{_THEIRS})"
_UNCLAIMED = f"{_THEIRS} AND fence = 0)"
# A claim moves the time by its lease.
_LATENESS = "SELECT extract(epoch FROM run_at - $1::interval - due_at)::float8 AS late FROM launches WHERE batch >= '\\xffff' AND fence = 1"
_FORGET = "DELETE FROM batches WHERE id >= '\\xffff'"


class Due:
    """Launches of one trigger; others of it may wait."""

    def __init__(self, pool: asyncpg.Pool, trigger: int) -> None:
        self._pool = pool
        self._trigger = trigger
        # No batch's id comes twice on one stack.
        self._next = time.time_ns()

    async def rate(self, groups: int, size: int) -> float:
        """Launches that are marked in a second, from when all are due."""
        seconds = await self._until(_LEFT, groups, size)
        await self._forget()
        return groups * size / seconds

    async def claimed(self, groups: int, size: int) -> float:
        """Seconds from when all are due until the last one is claimed; returns when all are over."""
        seconds = await self._until(_UNCLAIMED, groups, size)
        await self._over(_LEFT)
        await self._forget()
        return seconds

    async def lateness(self, count: int, a_second: int, lease: timedelta) -> Sequence[float]:
        """Seconds from when each of so many groups of one is due until it is claimed; so many fall due each second."""
        await self._until(_LEFT, count, 1, timedelta(seconds=1) / a_second)
        late = [row["late"] for row in await self._pool.fetch(_LATENESS, lease)]
        await self._forget()
        return late

    async def _until(self, question: str, groups: int, size: int, apart: timedelta = timedelta(0)) -> float:
        """Seconds from when the first of them is due until the answer is no."""
        # A line that was cut off leaves some.
        await self._forget()
        await filling.profiles(self._pool, 0, min(groups * size, _POPULATION))
        await filling.groups(self._pool, filling.DUE, self._next, groups, size, self._trigger, _POPULATION)
        self._next += groups
        due = await self._pool.fetchval(_FALL_DUE, _AHEAD, apart)
        left = (due - await self._pool.fetchval("SELECT clock_timestamp()")).total_seconds()
        if left < 0:
            raise CannotMeasure("they were due before all were told")
        await asyncio.sleep(left)
        began = time.perf_counter()
        await self._over(question)
        return time.perf_counter() - began

    async def _over(self, question: str) -> None:
        while await self._pool.fetchval(question, self._trigger):
            await asyncio.sleep(_LOOK)

    async def _forget(self) -> None:
        await self._pool.execute(_FORGET)
