"""Launches that failed, and their next run."""

from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple

import asyncpg

# Launches that one statement lets run again.
PAGE = 1_000

_MEANT = """
($1::bytea IS NULL OR failure.batch = $1) AND ($2::int IS NULL OR trigger.account = $2) AND ($3::int IS NULL OR trigger.number = $3)
    AND ($4::text IS NULL OR position($4 IN failure.reason) > 0) AND ($5::timestamptz IS NULL OR failure.failed_at < $5)
"""
_LIST = f"""
SELECT encode(failure.batch, 'hex') AS batch, trigger.account, trigger.number AS trigger, failure.item,
    encode(failure.profile, 'hex') AS profile, failure.reason, failure.failed_at, failure.run
FROM failures AS failure JOIN triggers AS trigger ON trigger.id = failure.trigger
WHERE {_MEANT} ORDER BY failure.batch, failure.trigger, failure.item LIMIT $6
"""  # noqa: S608  # constants
# NULL is no limit.
_COUNT = f"""
SELECT count(*) FROM (
    SELECT FROM failures AS failure JOIN triggers AS trigger ON trigger.id = failure.trigger WHERE {_MEANT} LIMIT $6::int
) AS meant
"""  # noqa: S608  # constants
# A new run is a group of its own, named by an attempt that no group of its batch and trigger has had; what failed is no failure any more.
_RUN = f"""
WITH chosen AS (
    SELECT failure.* FROM failures AS failure JOIN triggers AS trigger ON trigger.id = failure.trigger
        JOIN batches AS batch ON batch.id = failure.batch
    WHERE {_MEANT} AND (failure.batch, failure.trigger, failure.item) > ($7, $8, $9)
    ORDER BY failure.batch, failure.trigger, failure.item LIMIT $6
    -- The batch, or retention would wait for these while we wait for that.
    FOR UPDATE OF failure SKIP LOCKED FOR KEY SHARE OF batch SKIP LOCKED
),
forgotten AS (
    DELETE FROM failures USING chosen
    WHERE failures.batch = chosen.batch AND failures.trigger = chosen.trigger AND failures.item = chosen.item
),
counted AS (
    SELECT batch, trigger, attempt, first_item, run, count(*)::int AS launches, array_agg(item ORDER BY item) AS items,
        string_agg(profile, ''::bytea ORDER BY item) AS profiles
    FROM chosen GROUP BY batch, trigger, attempt, first_item, run
),
uncounted AS (
    UPDATE launches SET failed = failed - counted.launches FROM counted
    WHERE launches.batch = counted.batch AND launches.trigger = counted.trigger
        AND launches.attempt = counted.attempt AND launches.first_item = counted.first_item
    RETURNING launches.batch, launches.trigger, launches.account, launches.due_at, launches.chunk,
        launches.traceparent, counted.run, counted.items, counted.profiles
),
begun AS (
    INSERT INTO launches
        (batch, trigger, attempt, began, run, first_item, account, due_at, run_at, chunk, items, profiles, done, traceparent)
    SELECT batch, trigger, next.attempt, next.attempt, run + 1, items[1], account, due_at, now(), chunk, items, profiles,
        repeat('0', cardinality(items))::varbit, traceparent
    FROM uncounted, LATERAL (
        SELECT max(attempt) + 1 AS attempt FROM launches AS before
        WHERE before.batch = uncounted.batch AND before.trigger = uncounted.trigger
    ) AS next
)
SELECT batch, trigger, item, count(*) OVER () AS launches FROM chosen ORDER BY batch DESC, trigger DESC, item DESC LIMIT 1
"""  # noqa: S608  # constants


class Key(NamedTuple):
    """What a failure is known by, and what they are in the order of."""

    batch: bytes
    trigger: int
    item: int


# No batch has so short an id; a row that is null would be no condition of the index.
_BEFORE_ALL = Key(b"", 0, 0)


class Page(NamedTuple):
    """So many that run again, of which the last is known."""

    launches: int
    last: Key


@dataclass(frozen=True)
class Wanted:
    """Which failed launches; without any condition all of them. A trigger is the account's own number."""

    batch: bytes | None = None
    account: int | None = None
    trigger: int | None = None
    # A part of it is enough.
    reason: str | None = None
    # Who lets them run again must not meet those that fail again meanwhile.
    until: datetime | None = None

    def values(self) -> tuple[object, ...]:
        return self.batch, self.account, self.trigger, self.reason, self.until


async def listed(connection: asyncpg.Connection, wanted: Wanted, limit: int) -> list[asyncpg.Record]:
    """In the order of their batches."""
    found: list[asyncpg.Record] = await connection.fetch(_LIST, *wanted.values(), limit)
    return found


async def count(connection: asyncpg.Connection, wanted: Wanted, most: int | None = None) -> int:
    """How many there are; no more than `most` are counted."""
    return int(await connection.fetchval(_COUNT, *wanted.values(), most))


async def run_again(connection: asyncpg.Connection, wanted: Wanted, before: Page | None) -> Page | None:
    """Let the page of them that comes after the one before run again, now; None: there are no more. Each is a transaction of its own."""
    row = await connection.fetchrow(_RUN, *wanted.values(), PAGE, *(before.last if before else _BEFORE_ALL))
    return None if row is None else Page(row["launches"], Key(row["batch"], row["trigger"], row["item"]))
