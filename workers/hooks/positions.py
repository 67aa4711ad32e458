"""Where hooks stand: rows of `hook_positions`, written under the fence of whoever took them over last."""

from collections.abc import Iterable
from typing import NamedTuple

import asyncpg

from runtime.postgres import affected
from workers.hooks.model import Bounds, Hook, Place


class PlaceLost(Exception):
    """Another process has taken the place over, or an operator has moved it."""


class Failing(NamedTuple):
    """How many POSTs have failed in a row, and for how many seconds."""

    attempts: int
    seconds: float


_CLAIM = """
INSERT INTO hook_positions (hook, partition)
SELECT h.id, $2 FROM hooks h JOIN unnest($1::int[], $3::int[]) AS wanted (hook, turn) ON h.id = wanted.hook AND h.turn = wanted.turn
ORDER BY h.id FOR SHARE OF h
ON CONFLICT (hook, partition) DO UPDATE SET fence = hook_positions.fence + 1
RETURNING hook, partition, fence, position, first, last, types, attempts,
    coalesce(extract(epoch FROM now() - answered_at), 0)::float AS quiet
"""

_NOTE = """
UPDATE hook_positions SET position = $4, first = $4, last = $5, types = $6
WHERE hook = $1 AND partition = $2 AND fence = $3
"""

_MOVE = """
UPDATE hook_positions SET position = $4, first = NULL, last = NULL, types = NULL,
    attempts = 0, failing_since = NULL, answer = $5, answered_at = now()
WHERE hook = $1 AND partition = $2 AND fence = $3
"""

# Nobody rests longer than an hour between two POSTs: what failed before a longer silence, as of a hook that was switched off, is past.
_FAIL = """
UPDATE hook_positions SET attempts = attempts + 1, answer = $4, answered_at = now(),
    failing_since = CASE WHEN answered_at > now() - interval '2 hours' THEN coalesce(failing_since, now()) ELSE now() END
WHERE hook = $1 AND partition = $2 AND fence = $3
RETURNING attempts, extract(epoch FROM now() - failing_since)::float AS seconds
"""

_LOSE = """
UPDATE hook_positions SET position = $4, first = NULL, last = NULL, types = NULL, lost = lost + $5
WHERE hook = $1 AND partition = $2 AND fence = $3
"""

_LOOK = """
UPDATE hook_positions SET position = seen.position
FROM unnest($1::int[], $2::int[], $3::bigint[], $4::bigint[]) AS seen (hook, partition, fence, position)
WHERE hook_positions.hook = seen.hook AND hook_positions.partition = seen.partition AND hook_positions.fence = seen.fence
    AND hook_positions.first IS NULL AND coalesce(hook_positions.position, -1) < seen.position
"""


async def claim(pool: asyncpg.Pool, hooks: Iterable[Hook], partition: int) -> list[tuple[Place, bool]]:
    """Take the hooks' places in a partition over; with whether each of them is known, or has to be looked up by the hook's `since`.

    Not those of a hook that an operator has begun anew meanwhile: its `since` is another one.
    """
    turns = {hook.id: hook.turn for hook in hooks}
    rows = await pool.fetch(_CLAIM, list(turns), partition, list(turns.values()))
    return [(_place(row), row["position"] is not None) for row in rows]


async def note(pool: asyncpg.Pool, place: Place, bounds: Bounds) -> None:
    """The batch that is sent next, before it is: from now on whoever is here sends this one. Raises `PlaceLost`."""
    types = None if bounds.types is None else sorted(bounds.types)
    await _write(pool, _NOTE, place, bounds.first, bounds.last, types)
    place.position, place.bounds = bounds.first, bounds


async def move(pool: asyncpg.Pool, place: Place, position: int, answer: str) -> None:
    """The batch is behind it. Raises `PlaceLost`."""
    await _write(pool, _MOVE, place, position, answer)
    place.position, place.bounds, place.attempts = position, None, 0


async def fail(pool: asyncpg.Pool, place: Place, answer: str) -> Failing:
    """One more POST has failed, by the database's clock. Raises `PlaceLost`."""
    row = await pool.fetchrow(_FAIL, *place.key, place.fence, answer)
    if row is None:
        raise PlaceLost
    place.attempts = row["attempts"]
    return Failing(row["attempts"], row["seconds"])


async def lose(pool: asyncpg.Pool, place: Place, lost: int, position: int) -> None:
    """So many records are gone; it goes on behind them. Raises `PlaceLost`."""
    await _write(pool, _LOSE, place, position, lost)
    place.position, place.bounds = position, None


async def look(pool: asyncpg.Pool, places: Iterable[Place]) -> None:
    """What these hooks have looked at, and did not want; never back, and never past a batch that is under way."""
    columns = list(zip(*((*place.key, place.fence, place.position) for place in places), strict=True))
    if columns:
        await pool.execute(_LOOK, *columns)


async def _write(pool: asyncpg.Pool, statement: str, place: Place, *values: object) -> None:
    if not affected(await pool.execute(statement, *place.key, place.fence, *values)):
        raise PlaceLost


def _place(row: asyncpg.Record) -> Place:
    types = None if row["types"] is None else frozenset(row["types"])
    bounds = None if row["first"] is None else Bounds(row["first"], row["last"], types)
    return Place(row["hook"], row["partition"], row["fence"], row["position"] or 0, bounds, row["attempts"], row["quiet"])
