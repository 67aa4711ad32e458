"""SQL of launches that wait: when they run, and whose they are."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg

from profuse.console.reading import estimating
from profuse.console.reading.counted import MOST, Counted

_EVER = timedelta(days=36_500)
# Triggers whose share of what was not looked at is estimated.
_ESTIMATED = 20

# What a group will do when it runs, or is being done.
_OPEN = "length(done) - bit_count(done)"
_TRIGGERS = "($1::int IS NULL OR trigger.account = $1) AND ($2::int IS NULL OR trigger.number = $2)"
# In the order of the index that launchers claim by, a bounded number of each; the outer limit ends the walk through the triggers.
_BUCKETS = f"""
SELECT bucket.n::int AS n, found.groups, found.launches
FROM unnest($3::interval[], $4::interval[]) WITH ORDINALITY AS bucket (since, until, n), LATERAL (
    SELECT count(*)::int AS groups, coalesce(sum(left_over), 0)::bigint AS launches FROM (
        SELECT own.left_over FROM triggers AS trigger, LATERAL (
            SELECT {_OPEN} AS left_over FROM launches
            WHERE launches.account = trigger.account AND launches.trigger = trigger.id AND finished_at IS NULL
                AND run_at >= now() + bucket.since AND run_at < now() + bucket.until
            LIMIT $5
        ) AS own
        WHERE {_TRIGGERS} LIMIT $5
    ) AS few
) AS found
"""  # noqa: S608  # constants
_TOTAL = f"""
SELECT count(*)::int AS groups, coalesce(sum(left_over), 0)::bigint AS launches FROM (
    SELECT own.left_over FROM triggers AS trigger, LATERAL (
        SELECT {_OPEN} AS left_over FROM launches
        WHERE launches.account = trigger.account AND launches.trigger = trigger.id AND finished_at IS NULL LIMIT $1
    ) AS own LIMIT $1
) AS few
"""  # noqa: S608  # constants
_NEXT = f"""
SELECT trigger.account, trigger.number, left(trigger.name, 255) AS name, trigger.id, own.run_at AS next FROM triggers AS trigger, LATERAL (
    SELECT run_at FROM launches
    WHERE launches.account = trigger.account AND launches.trigger = trigger.id AND finished_at IS NULL ORDER BY run_at LIMIT 1
) AS own
WHERE {_TRIGGERS} ORDER BY own.run_at LIMIT $3
"""  # noqa: S608  # constants


@dataclass(frozen=True)
class Bucket:
    """Groups and launches that run within some time from now."""

    label: str
    groups: Counted
    launches: Counted

    @property
    def weight(self) -> int:
        """For the bar."""
        return max(self.launches.number, self.launches.about or 0)


@dataclass(frozen=True)
class Waiting:
    """A trigger with launches that wait."""

    account: int
    number: int
    name: str
    next: datetime
    id: int


def _edges() -> list[tuple[str, timedelta, timedelta]]:
    """Of the rows: a label, and from when to when it is, from now."""
    hour, day = timedelta(hours=1), timedelta(days=1)
    ends = [
        ("overdue", timedelta(0)),
        ("within a minute", timedelta(minutes=1)),
        ("within 10 minutes", timedelta(minutes=10)),
        ("within an hour", hour),
        ("within 6 hours", 6 * hour),
        ("within a day", day),
        ("within 3 days", 3 * day),
        ("within a week", 7 * day),
        ("within 30 days", 30 * day),
        ("later", _EVER),
    ]
    starts = [-_EVER, *(end for _, end in ends)]
    return [(label, since, until) for (label, until), since in zip(ends, starts, strict=False)]


async def histogram(connection: asyncpg.Connection, account: int | None = None, trigger: int | None = None) -> list[Bucket]:
    """How many run when; exact up to the bound of each bucket, an estimate beyond it."""
    edges = _edges()
    sinces, untils = [since for _, since, _ in edges], [until for _, _, until in edges]
    rows = await connection.fetch(_BUCKETS, account, trigger, sinces, untils, MOST + 1)
    found = {row["n"]: (row["groups"], row["launches"]) for row in rows}
    waiting = []
    if any(groups > MOST for groups, _ in found.values()):
        waiting = await next_of(connection, account, trigger, _ESTIMATED)
    return [await _bucket(connection, edge, *found[n], waiting) for n, edge in enumerate(edges, 1)]


async def total(connection: asyncpg.Connection) -> Counted:
    """Launches that wait."""
    row = await connection.fetchrow(_TOTAL, MOST + 1)
    return Counted(row["launches"], row["groups"] <= MOST)


async def next_of(
    connection: asyncpg.Connection, account: int | None = None, trigger: int | None = None, limit: int = 200
) -> list[Waiting]:
    """Triggers with launches that wait, those that run next first."""
    rows = await connection.fetch(_NEXT, account, trigger, limit)
    return [Waiting(row["account"], row["number"], row["name"], row["next"], row["id"]) for row in rows]


async def _bucket(
    connection: asyncpg.Connection, edge: tuple[str, timedelta, timedelta], groups: int, launches: int, waiting: Sequence[Waiting]
) -> Bucket:
    label, since, until = edge
    if groups <= MOST:
        return Bucket(label, Counted(groups), Counted(launches))
    about = sum([await estimating.groups(connection, each.account, each.id, since, until) for each in waiting])
    # As many in a group as in those that were looked at.
    of_all = Counted(launches, is_all=False, about=round(about * launches / groups))
    return Bucket(label, Counted(MOST, is_all=False, about=about), of_all)
