"""SQL of claims: who has something due, and who takes it for how long."""

from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import timedelta

import asyncpg

from schemas import ids
from workers.launcher.claim.lane import Lane
from workers.launcher.claim.turns import Asked
from workers.launcher.groups.group import Group

# `now()`, because the volatile `clock_timestamp()` is no index condition. One index scan for each lane that is asked.
# Whoever expects singles may meet groups of a page: of those it takes no more than it has room for.
CLAIM = """
WITH due AS MATERIALIZED (
    SELECT first.* FROM unnest($2::int[], $3::int[], $4::int[], $5::int[]) AS asked (account, trigger, groups, launches),
        LATERAL (
            SELECT found.*, sum(weight) OVER (ROWS UNBOUNDED PRECEDING) - weight AS before FROM (
                SELECT batch, trigger, attempt, first_item, least(cardinality(items), $6) AS weight FROM launches
                WHERE account = asked.account AND trigger = asked.trigger AND finished_at IS NULL AND run_at <= now()
                    AND (attempt > 0 OR batch || int4send(trigger) <> ALL($7))
                ORDER BY run_at LIMIT asked.groups
                FOR UPDATE SKIP LOCKED
            ) AS found
        ) AS first
    WHERE before < asked.launches
)
UPDATE launches AS claimed SET run_at = now() + $1, fence = claimed.fence + 1, claims = claimed.claims + 1
FROM due
WHERE claimed.batch = due.batch AND claimed.trigger = due.trigger AND claimed.attempt = due.attempt AND claimed.first_item = due.first_item
RETURNING claimed.*, extract(epoch FROM now() - claimed.due_at)::float8 AS late,
    extract(epoch FROM now() - claimed.held_since)::float8 AS held_for,
    EXISTS (SELECT FROM attachments WHERE attachments.batch = claimed.batch) AS has_files,
    (SELECT spread IS NOT NULL FROM triggers WHERE id = claimed.trigger)
        AND (SELECT total > 1 FROM batches WHERE id = claimed.batch) AS is_spread
"""

# What falls due before the next look is asked for by then. Lanes are found by leaps through the index, however long each is.
LOOK = """
WITH RECURSIVE lanes AS (
    (SELECT account, trigger FROM launches WHERE finished_at IS NULL AND account IS NOT NULL ORDER BY account, trigger LIMIT 1)
    UNION ALL
    SELECT next.account, next.trigger FROM lanes, LATERAL (
        SELECT account, trigger FROM launches
        WHERE finished_at IS NULL AND (account, trigger) > (lanes.account, lanes.trigger)
        ORDER BY account, trigger LIMIT 1
    ) AS next
)
SELECT account, trigger, extract(epoch FROM first.run_at - now())::float8 AS in_seconds FROM lanes, LATERAL (
    SELECT run_at FROM launches
    WHERE account = lanes.account AND trigger = lanes.trigger AND finished_at IS NULL
        AND (attempt > 0 OR batch || int4send(trigger) <> ALL($2))
    ORDER BY run_at LIMIT 1
) AS first
WHERE first.run_at <= now() + $1::interval
"""

# Groups of an older launcher, or from before accounts took turns.
_ADOPT = """
UPDATE launches SET account = triggers.account
FROM triggers
WHERE triggers.id = launches.trigger AND launches.ctid = ANY(ARRAY(
    SELECT ctid FROM launches WHERE account IS NULL AND finished_at IS NULL ORDER BY run_at LIMIT 10000 FOR UPDATE SKIP LOCKED
))
"""


async def claim(pool: asyncpg.Pool, lease: timedelta, asked: Mapping[Lane, Asked], page: int, enough: Sequence[bytes] = ()) -> list[Group]:
    """Take due groups of each lane for `lease`, of which a larger one counts as much as a `page`; other launchers skip them.

    `enough`: batches of which none is taken, as `ahead` names them, but what was put off, whose turn comes after its rest.
    """
    rows = await pool.fetch(CLAIM, lease, *map(list, zip(*((*lane, *may) for lane, may in asked.items()), strict=True)), page, enough)
    return sorted(map(_group, rows), key=lambda group: (len(group.items), -group.late))


async def look(pool: asyncpg.Pool, ahead: timedelta, enough: Sequence[bytes] = ()) -> dict[Lane, float]:
    """In how many seconds lanes have something due, if that is within `ahead`; less than none: since when. `enough`: as above."""
    await pool.execute(_ADOPT)
    return {Lane(row["account"], row["trigger"]): row["in_seconds"] for row in await pool.fetch(LOOK, ahead, enough)}


_READ_AS_THEY_ARE = tuple(field.name for field in fields(Group) if field.name != "profiles")


def _group(row: asyncpg.Record) -> Group:
    return Group(**{name: row[name] for name in _READ_AS_THEY_ARE}, profiles=ids.unpack(row["profiles"]))
