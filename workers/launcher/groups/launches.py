"""The table `launches`: durable timers, each a group of launches."""

from collections.abc import Sequence
from datetime import timedelta

import asyncpg

from runtime.arrays import array
from runtime.postgres import affected
from runtime.tracing import traces
from schemas.ids import TriggerId
from workers.launcher.groups.group import Group, NewGroup
from workers.launcher.groups.naming import MINE, THEIRS, LeaseLost, key_of, still_ours

_INSERT = """
INSERT INTO launches (batch, trigger, attempt, first_item, account, due_at, run_at, chunk, items, profiles, done, traceparent)
SELECT batch, trigger, 0, first_item, account, due_at, CASE WHEN cancelled THEN least(due_at, now()) ELSE due_at END,
    chunk, items, profiles, repeat('0', cardinality(items))::varbit, traceparent
FROM (
    SELECT
        given.batch, given.trigger, given.first_item, alive.account, given.chunk, given.items::int[] AS items, given.profiles,
        given.traceparent,
        CASE WHEN given.trigger = alive.trigger THEN alive.due_at
             -- An unknown trigger has no due time, and is refused for that.
             ELSE (
                SELECT least(alive.accepted_at + interval '1 minute' * skip_minutes, alive.hastened_at)
                FROM triggers WHERE id = given.trigger
             )
        END AS due_at,
        -- Its end is told at once.
        EXISTS (
            SELECT FROM cancels
            WHERE asked_at > alive.accepted_at AND (batch = given.batch OR trigger = given.trigger AND account = alive.account)
        ) AS cancelled
    FROM unnest($1::bytea[], $2::int[], $3::int[], $4::int[], $5::text[], $6::bytea[], $7::text[])
        AS given (batch, trigger, first_item, chunk, items, profiles, traceparent),
        -- Without the batch's row an old repeat starts nothing; locked, or it could go meanwhile.
        LATERAL (
            SELECT trigger, account, due_at, accepted_at, hastened_at FROM batches WHERE id = given.batch FOR KEY SHARE
        ) AS alive
) AS timed
ON CONFLICT (batch, trigger, attempt, first_item) DO UPDATE
-- That they failed has been told.
SET run = launches.run + 1, run_at = excluded.run_at, items = excluded.items, profiles = excluded.profiles, done = excluded.done,
    traceparent = excluded.traceparent,
    -- Whoever holds it holds what is no more.
    fence = launches.fence + 1, claims = 0, failed = 0, doomed = NULL, outbox = NULL, finished_at = NULL
-- Its message could not be read, and now it was. Whatever else is there stays as it is.
WHERE launches.doomed IS NOT NULL
RETURNING account, trigger, run_at <= now() AS due
"""

_NAMED = f"""
FROM unnest($1::bytea[], $2::int[], $3::smallint[], $4::int[], $5::bigint[]) AS named (batch, trigger, attempt, first_item, fence)
WHERE {THEIRS}
RETURNING launches.batch, launches.trigger, launches.attempt, launches.first_item, launches.fence
"""
_FINISH = f"UPDATE launches SET finished_at = now(), outbox = NULL {_NAMED}"  # noqa: S608  # constants
_RENEW = f"""
UPDATE launches SET run_at = now() + $7, claims = least(launches.claims, named.claims)
FROM unnest($1::bytea[], $2::int[], $3::smallint[], $4::int[], $5::bigint[], $6::int[])
    AS named (batch, trigger, attempt, first_item, fence, claims)
WHERE {THEIRS}
RETURNING launches.batch, launches.trigger, launches.attempt, launches.first_item, launches.fence
"""  # noqa: S608  # constants

# In two at the middle of what is left: items, profiles and bits of the second part move into a group of their own.
_HALVE = f"""
WITH whole AS (SELECT * FROM launches WHERE {MINE} FOR UPDATE),
kept AS (
    UPDATE launches SET items = launches.items[:$6], profiles = substring(launches.profiles FOR 12 * $6),
        done = substring(launches.done FOR $6), claims = $7, run_at = now()
    FROM whole
    WHERE launches.batch = whole.batch AND launches.trigger = whole.trigger
        AND launches.attempt = whole.attempt AND launches.first_item = whole.first_item
)
INSERT INTO launches (batch, trigger, attempt, first_item, account, due_at, run_at, chunk, items, profiles, done, doubts, doubted, doomed,
    claims, run, began, traceparent)
SELECT batch, trigger, attempt, items[$6 + 1], account, due_at, now(), chunk,
       items[$6 + 1:], substring(profiles FROM 12 * $6 + 1), substring(done FROM $6 + 1), doubts, doubted, doomed, $7,
       run, began, traceparent
FROM whole
"""  # noqa: S608  # a constant

# Of claims that came to nothing, each as when a process died.
MOST_CLAIMS = 3


async def insert(connection: asyncpg.Connection, groups: Sequence[NewGroup]) -> set[tuple[int, TriggerId]]:
    """Schedule the groups that are not yet there; returns the accounts and triggers that have one due already.

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
        [array(group.items) for group in groups],
        [group.profiles for group in groups],
        [traces().carried(group.batch) for group in groups],
    )
    return {(row["account"], row["trigger"]) for row in rows if row["due"]}


async def renew(pool: asyncpg.Pool, groups: Sequence[Group], idle: Sequence[Group], lease: timedelta) -> list[bool]:
    """Of each whether its lease is still the one that is known; of those that are idle the claim does not count."""
    waiting = set(map(id, idle))
    rows = sorted(((*key_of(group), group.claims - 1 if id(group) in waiting else None) for group in groups), key=lambda row: row[:-1])
    return still_ours(groups, await pool.fetch(_RENEW, *(list(column) for column in zip(*rows, strict=True)), lease))


async def count(pool: asyncpg.Pool, group: Group, claims: int) -> None:
    """So many claims of it came to no mark."""
    await _write(pool, group, "claims = $6", claims)


async def finish(connection: asyncpg.Connection, groups: Sequence[Group]) -> list[bool]:
    """Of each whether its lease is still the one that is known."""
    return still_ours(groups, await connection.fetch(_FINISH, *_keys(groups)))


async def halve(pool: asyncpg.Pool, group: Group) -> None:
    """Let what kills whoever works on the group be found: each half may be claimed once more before it is halved again."""
    left = group.undone()
    await _execute(pool, _HALVE, group, left[len(left) // 2], MOST_CLAIMS - 1)


async def put_back(pool: asyncpg.Pool, group: Group, pause: timedelta, *, held: bool = False, told: bool = False) -> None:
    """Give the lease up; anybody may claim the group after the pause.

    `held`: its destination keeps it. `told`: the world has its outbox, which would be published with each claim.
    """
    since = ", held_since = coalesce(held_since, now())" if held else ""
    await _write(pool, group, "run_at = now() + $6, claims = 0" + since + (", outbox = NULL" if told else ""), pause)


async def put_off(pool: asyncpg.Pool, group: Group, pause: timedelta) -> None:
    """The same, of a claim that failed by itself: it counts."""
    await _write(pool, group, "run_at = now() + $6", pause)


def _keys(groups: Sequence[Group]) -> list[list[object]]:
    """In everybody's order: two statements that write several of the same would wait for one another."""
    return [list(column) for column in zip(*sorted(map(key_of, groups)), strict=True)]


async def _write(pool: asyncpg.Pool, group: Group, change: str, *values: object) -> None:
    await _execute(pool, f"UPDATE launches SET {change} WHERE {MINE}", group, *values)  # noqa: S608  # constants above


async def _execute(pool: asyncpg.Pool, statement: str, group: Group, *values: object) -> None:
    if not affected(await pool.execute(statement, *key_of(group), *values)):
        raise LeaseLost
