"""The table `launches`: durable timers, each a group of launches."""

from collections.abc import Sequence
from datetime import timedelta

import asyncpg

from schemas import ids
from workers.launcher.groups import Group, NewGroup

_INSERT = """
INSERT INTO launches (batch, trigger, attempt, first_item, due_at, run_at, chunk, items, profiles, done)
SELECT batch, trigger, 0, first_item, due_at, due_at, chunk, items, profiles, repeat('0', cardinality(items))::varbit
FROM (
    SELECT
        given.batch, given.trigger, given.first_item, given.chunk, given.items::int[] AS items, given.profiles,
        CASE WHEN given.trigger = alive.trigger THEN alive.due_at
             -- An unknown trigger has no due time, and is refused for that.
             ELSE alive.accepted_at + interval '1 minute' * (SELECT skip_minutes FROM triggers WHERE id = given.trigger)
        END AS due_at
    FROM unnest($1::bytea[], $2::int[], $3::int[], $4::int[], $5::text[], $6::bytea[])
        AS given (batch, trigger, first_item, chunk, items, profiles),
        -- Without the batch's row an old repeat starts nothing; locked, or it could go meanwhile.
        LATERAL (SELECT trigger, due_at, accepted_at FROM batches WHERE id = given.batch FOR KEY SHARE) AS alive
) AS timed
ON CONFLICT (batch, trigger, attempt, first_item) DO UPDATE
SET run_at = excluded.run_at, items = excluded.items, profiles = excluded.profiles, done = excluded.done, failed = 0, finished_at = NULL
-- Given up unclaimed: its message could not be read, and now it was. Whatever else is there stays as it is.
WHERE launches.fence = 0 AND launches.finished_at IS NOT NULL
RETURNING run_at <= now() AS due
"""

# `now()`, because the volatile `clock_timestamp()` is no index condition.
CLAIM = """
WITH due AS MATERIALIZED (
    SELECT batch, trigger, attempt, first_item FROM launches
    WHERE finished_at IS NULL AND run_at <= now()
    ORDER BY run_at LIMIT $2
    FOR UPDATE SKIP LOCKED
)
UPDATE launches AS claimed SET run_at = now() + $1, fence = claimed.fence + 1
FROM due
WHERE claimed.batch = due.batch AND claimed.trigger = due.trigger AND claimed.attempt = due.attempt AND claimed.first_item = due.first_item
RETURNING claimed.*, extract(epoch FROM now() - claimed.due_at)::float8 AS late
"""

_MINE = "batch = $1 AND trigger = $2 AND attempt = $3 AND first_item = $4 AND fence = $5"


class LeaseLost(Exception):
    """Another launcher has claimed the group since; whatever this one knows of it is old."""


async def insert(connection: asyncpg.Connection, groups: Sequence[NewGroup]) -> bool:
    """Schedule the groups that are not yet there; tells whether one of them is due already.

    They must be sorted: rows are inserted, and batches locked, in the order given.
    """
    # One statement cannot touch a row twice; a message may have come twice.
    groups = list({(group.batch, group.trigger, group.first_item): group for group in groups}.values())
    rows = await connection.fetch(
        _INSERT,
        [group.batch for group in groups],
        [group.trigger for group in groups],
        [group.first_item for group in groups],
        [group.chunk for group in groups],
        # Arrays of different lengths cannot travel inside an array.
        ["{" + ",".join(map(str, group.items)) + "}" for group in groups],
        [group.profiles for group in groups],
    )
    return any(row["due"] for row in rows)


async def claim(pool: asyncpg.Pool, lease: timedelta, limit: int) -> list[Group]:
    """Take up to `limit` due groups for `lease`; other launchers skip them."""
    rows = await pool.fetch(CLAIM, lease, limit)
    return [_group(row) for row in sorted(rows, key=lambda row: row["due_at"])]


async def renew(pool: asyncpg.Pool, group: Group, lease: timedelta) -> None:
    await _write(pool, group, "run_at = now() + $6", lease)


async def mark(pool: asyncpg.Pool, group: Group, done: asyncpg.BitString, counts: tuple[int, int, int], outbox: bytes | None) -> None:
    """Settle some positions; their events are the new outbox. `counts` are launched, skipped and failed."""
    change = "done = done | $6, launched = launched + $7, skipped = skipped + $8, failed = failed + $9, outbox = $10"
    await _write(pool, group, change, done, *counts, outbox)


async def put_back(pool: asyncpg.Pool, group: Group, pause: timedelta) -> None:
    """Give the lease up; anybody may claim the group after the pause."""
    await _write(pool, group, "run_at = now() + $6", pause)


async def finish(pool: asyncpg.Pool, group: Group) -> None:
    await _write(pool, group, "finished_at = now(), outbox = NULL")


async def _write(pool: asyncpg.Pool, group: Group, change: str, *values: object) -> None:
    key = (group.batch, group.trigger, group.attempt, group.first_item, group.fence)
    status = await pool.execute(f"UPDATE launches SET {change} WHERE {_MINE}", *key, *values)  # noqa: S608  # both are constants above
    if status != "UPDATE 1":
        raise LeaseLost


def _group(row: asyncpg.Record) -> Group:
    names = ("batch", "trigger", "attempt", "first_item", "fence", "chunk", "items", "done", "outbox", "late")
    return Group(**{name: row[name] for name in names}, profiles=ids.unpack(row["profiles"]))
