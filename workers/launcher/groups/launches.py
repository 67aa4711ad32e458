"""The table `launches`: durable timers, each a group of launches."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import NamedTuple

import asyncpg

from schemas.ids import TriggerId
from workers.launcher.groups.group import Group, Leaving, NewGroup

_INSERT = """
INSERT INTO launches (batch, trigger, attempt, first_item, account, due_at, run_at, chunk, items, profiles, done)
SELECT batch, trigger, 0, first_item, account, due_at, CASE WHEN cancelled THEN least(due_at, now()) ELSE due_at END,
    chunk, items, profiles, repeat('0', cardinality(items))::varbit
FROM (
    SELECT
        given.batch, given.trigger, given.first_item, alive.account, given.chunk, given.items::int[] AS items, given.profiles,
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
    FROM unnest($1::bytea[], $2::int[], $3::int[], $4::int[], $5::text[], $6::bytea[])
        AS given (batch, trigger, first_item, chunk, items, profiles),
        -- Without the batch's row an old repeat starts nothing; locked, or it could go meanwhile.
        LATERAL (
            SELECT trigger, account, due_at, accepted_at, hastened_at FROM batches WHERE id = given.batch FOR KEY SHARE
        ) AS alive
) AS timed
ON CONFLICT (batch, trigger, attempt, first_item) DO UPDATE
SET run_at = excluded.run_at, items = excluded.items, profiles = excluded.profiles, done = excluded.done,
    -- Whoever holds it holds what is no more.
    fence = launches.fence + 1, claims = 0, failed = 0, doomed = NULL, outbox = NULL, finished_at = NULL
-- Its message could not be read, and now it was. Whatever else is there stays as it is.
WHERE launches.doomed IS NOT NULL
RETURNING account, trigger, run_at <= now() AS due
"""

_MINE = "batch = $1 AND trigger = $2 AND attempt = $3 AND first_item = $4 AND fence = $5"
_THEIRS = """launches.batch = named.batch AND launches.trigger = named.trigger AND launches.attempt = named.attempt
    AND launches.first_item = named.first_item AND launches.fence = named.fence"""
# Marked twice, as after a commit whose outcome was unknown, a launch counts once: its bit is set by then.
_COUNTED = """
    done = done | sent | skips | fails | cancels | leaves,
    launched = launched + bit_count(sent & ~done)::int,
    skipped = skipped + bit_count(skips & ~done)::int,
    failed = failed + bit_count(fails & ~done)::int,
    cancelled = cancelled + bit_count(cancels & ~done)::int,
    claims = 0, outbox = told
"""
_MARK = f"""
UPDATE launches SET {_COUNTED}
FROM unnest($1::bytea[], $2::int[], $3::smallint[], $4::int[], $5::bigint[], $6::varbit[], $7::varbit[], $8::varbit[], $9::varbit[],
    $10::varbit[], $11::bytea[])
    AS named (batch, trigger, attempt, first_item, fence, sent, skips, fails, cancels, leaves, told)
WHERE {_THEIRS}
RETURNING launches.batch, launches.trigger, launches.attempt, launches.first_item, launches.fence
"""  # noqa: S608  # constants
_MARK_AND_LEAVE = f"""
WITH marked AS (
    UPDATE launches SET {_COUNTED}
    FROM (VALUES ($6::varbit, $7::varbit, $8::varbit, $9::varbit, $10::varbit, $11::bytea))
        AS named (sent, skips, fails, cancels, leaves, told)
    WHERE {_MINE} RETURNING batch, trigger, attempt, first_item, account, due_at, chunk, run, began
),
failed_here AS (
    INSERT INTO failures (batch, trigger, item, profile, reason, attempt, first_item, run)
    SELECT batch, trigger, failing.item, failing.profile, failing.reason, attempt, first_item, run
    FROM marked, unnest($16::int[], $17::bytea[], $18::text[]) AS failing (item, profile, reason)
    ON CONFLICT (batch, trigger, item) DO UPDATE
    SET reason = excluded.reason, failed_at = now(), attempt = excluded.attempt, first_item = excluded.first_item, run = excluded.run
),
left_it AS (
    INSERT INTO launches (batch, trigger, attempt, first_item, account, due_at, run_at, chunk, items, profiles, done, doubts, run, began)
    SELECT batch, trigger, attempt + 1, (leaving.items::int[])[1], account, due_at, now() + leaving.rest, chunk,
           leaving.items::int[], leaving.profiles, repeat('0', cardinality(leaving.items::int[]))::varbit, leaving.doubts, run, began
    FROM marked, unnest($12::text[], $13::bytea[], $14::int[], $15::interval[]) AS leaving (items, profiles, doubts, rest)
    ON CONFLICT DO NOTHING
)
SELECT count(*) FROM marked
"""  # noqa: S608  # constants
_FINISH = f"""
UPDATE launches SET finished_at = now(), outbox = NULL
FROM unnest($1::bytea[], $2::int[], $3::smallint[], $4::int[], $5::bigint[]) AS named (batch, trigger, attempt, first_item, fence)
WHERE {_THEIRS}
RETURNING launches.batch, launches.trigger, launches.attempt, launches.first_item, launches.fence
"""  # noqa: S608  # constants

# In two at the middle of what is left: items, profiles and bits of the second part move into a group of their own.
_HALVE = f"""
WITH whole AS (SELECT * FROM launches WHERE {_MINE} FOR UPDATE),
kept AS (
    UPDATE launches SET items = launches.items[:$6], profiles = substring(launches.profiles FOR 12 * $6),
        done = substring(launches.done FOR $6), claims = $7, run_at = now()
    FROM whole
    WHERE launches.batch = whole.batch AND launches.trigger = whole.trigger
        AND launches.attempt = whole.attempt AND launches.first_item = whole.first_item
)
INSERT INTO launches
    (batch, trigger, attempt, first_item, account, due_at, run_at, chunk, items, profiles, done, doubts, doomed, claims, run, began)
SELECT batch, trigger, attempt, items[$6 + 1], account, due_at, now(), chunk,
       items[$6 + 1:], substring(profiles FROM 12 * $6 + 1), substring(done FROM $6 + 1), doubts, doomed, $7, run, began
FROM whole
"""  # noqa: S608  # a constant

# Of claims that came to nothing, each as when a process died.
MOST_CLAIMS = 3


class LeaseLost(Exception):
    """Another launcher has claimed the group since; whatever this one knows of it is old."""


@dataclass(frozen=True)
class Marks:
    """Positions that are over here: sent, skipped, failed, cancelled, or left for a group of the next attempt."""

    sent: Sequence[int] = ()
    skipped: Sequence[int] = ()
    failed: Sequence[int] = ()
    cancelled: Sequence[int] = ()
    leaving: Sequence[int] = ()
    groups: Sequence[Leaving] = ()
    # Why launches failed, by position; of a group that is doomed nobody asks.
    reasons: Mapping[int, str] = field(default_factory=dict)


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
        [_array(group.items) for group in groups],
        [group.profiles for group in groups],
    )
    return {(row["account"], row["trigger"]) for row in rows if row["due"]}


async def renew(pool: asyncpg.Pool, group: Group, lease: timedelta) -> None:
    await _write(pool, group, "run_at = now() + $6", lease)


class Marked(NamedTuple):
    """Positions of a group that are settled; `outbox` is what the world is to hear of them."""

    group: Group
    marks: Marks
    outbox: bytes | None


async def mark(connection: asyncpg.Connection, marked: Sequence[Marked]) -> list[bool]:
    """Settle positions of which none leaves or failed; may be repeated. Of each group whether its lease is still the one that is known."""
    # In everybody's order: two statements that mark several of the same would wait for one another.
    rows = [(*_key(each.group), *_bits(each), each.outbox) for each in sorted(marked, key=lambda each: _key(each.group))]
    return _ours([each.group for each in marked], await connection.fetch(_MARK, *map(list, zip(*rows, strict=True))))


async def mark_and_leave(pool: asyncpg.Pool, marked: Marked) -> None:
    """The same, with groups of the next attempt for those that leave, and a row for each that failed. Raises `LeaseLost`."""
    group, marks = marked.group, marked.marks
    left = [[_array(each.items), each.profiles, each.doubts, each.rest] for each in marks.groups]
    failed = [[group.items[at], group.profiles[at], why] for at, why in marks.reasons.items()]
    values = (*_key(group), *_bits(marked), marked.outbox)
    columns = [list(column) for rows, width in ((left, 4), (failed, 3)) for column in (zip(*rows, strict=True) if rows else [()] * width)]
    if await pool.fetchval(_MARK_AND_LEAVE, *values, *columns) != 1:
        raise LeaseLost


async def finish(connection: asyncpg.Connection, groups: Sequence[Group]) -> list[bool]:
    """Of each whether its lease is still the one that is known."""
    keys = sorted(_key(group) for group in groups)
    return _ours(groups, await connection.fetch(_FINISH, *map(list, zip(*keys, strict=True))))


async def halve(pool: asyncpg.Pool, group: Group) -> None:
    """Let what kills whoever works on the group be found: each half may be claimed once more before it is halved again."""
    left = group.undone()
    _only_one(await pool.execute(_HALVE, *_key(group), left[len(left) // 2], MOST_CLAIMS - 1))


async def put_back(pool: asyncpg.Pool, group: Group, pause: timedelta, *, held: bool = False, told: bool = False) -> None:
    """Give the lease up; anybody may claim the group after the pause.

    `held`: its destination keeps it. `told`: the world has its outbox, which would be published with each claim.
    """
    since = ", held_since = coalesce(held_since, now())" if held else ""
    await _write(pool, group, "run_at = now() + $6, claims = 0" + since + (", outbox = NULL" if told else ""), pause)


async def put_off(pool: asyncpg.Pool, group: Group, pause: timedelta) -> None:
    """The same, of a claim that failed by itself: it counts."""
    await _write(pool, group, "run_at = now() + $6", pause)


async def _write(pool: asyncpg.Pool, group: Group, change: str, *values: object) -> None:
    _only_one(await pool.execute(f"UPDATE launches SET {change} WHERE {_MINE}", *_key(group), *values))  # noqa: S608  # constants above


def _key(group: Group) -> tuple[bytes, int, int, int, int]:
    return group.batch, group.trigger, group.attempt, group.first_item, group.fence


def _bits(marked: Marked) -> tuple[asyncpg.BitString, ...]:
    marks = marked.marks
    return tuple(marked.group.bits(each) for each in (marks.sent, marks.skipped, marks.failed, marks.cancelled, marks.leaving))


def _ours(groups: Sequence[Group], written: Sequence[asyncpg.Record]) -> list[bool]:
    keys = {tuple(row) for row in written}
    return [_key(group) in keys for group in groups]


def _only_one(status: str) -> None:
    if status not in ("UPDATE 1", "INSERT 0 1"):
        raise LeaseLost


def _array(items: Sequence[int]) -> str:
    """Arrays of different lengths cannot travel inside an array."""
    return "{" + ",".join(map(str, items)) + "}"
