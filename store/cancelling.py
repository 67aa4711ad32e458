"""Launches that are taken back: one row says so, and whoever claims them from then on ends them as cancelled."""

from dataclasses import dataclass

import asyncpg

from schemas.ids import TriggerId

# Groups that are brought forward by one statement, and statements of one call; others are ended when they fall due.
_PAGE = 2_000
_PAGES = 10

_ASK = "INSERT INTO cancels (account, batch, trigger, profile) VALUES ($1, $2, $3, $4) RETURNING id"
_MINE = "account = $1 AND finished_at IS NULL AND attempt = 0 AND ($2::bytea IS NULL OR batch = $2) AND ($3::int IS NULL OR trigger = $3)"
# What others took back before is not taken back again.
_EARLIER = """
earlier AS MATERIALIZED (SELECT batch, trigger, profile, asked_at FROM cancels WHERE account = $1 AND ($5::bigint IS NULL OR id < $5))
"""
# Nobody can have begun them: they are not due, or wait to be claimed. Of a profile, only its own; a group holds 12 bytes of each.
_COUNT = f"""
WITH {_EARLIER}, mine AS (
    SELECT groups.*, accepted_at
    FROM (SELECT * FROM launches WHERE {_MINE} AND ($4::bytea IS NULL OR position($4 IN profiles) > 0)) AS groups
    JOIN batches ON batches.id = groups.batch
)
SELECT coalesce(sum(
    CASE WHEN EXISTS (
        SELECT FROM earlier WHERE (earlier.batch = mine.batch OR earlier.trigger = mine.trigger) AND asked_at > accepted_at
    ) THEN 0
    WHEN $4::bytea IS NULL AND NOT EXISTS (SELECT FROM earlier WHERE profile IS NOT NULL) THEN cardinality(items) - bit_count(done)
    ELSE (
        SELECT count(*) FROM generate_series(0, cardinality(items) - 1) AS at, substring(profiles FROM 12 * at + 1 FOR 12) AS whom
        WHERE get_bit(done, at) = 0 AND ($4 IS NULL OR whom = $4)
            AND NOT EXISTS (SELECT FROM earlier WHERE earlier.profile = whom AND asked_at > accepted_at)
    ) END) FILTER (WHERE due_at > now() OR run_at <= now()), 0)::int AS cancelled,
    count(*) FILTER (WHERE due_at <= now() AND run_at > now()) AS under_way
FROM mine
"""  # noqa: S608  # constants
# The same, without looking at more than so many groups; a group that is being launched counts, too.
_COUNT_FEW = f"""
SELECT count(*)::int AS groups, coalesce(sum(open), 0)::bigint AS launches
FROM (SELECT length(done) - bit_count(done) AS open FROM launches WHERE {_MINE} LIMIT $4) AS few
"""  # noqa: S608  # constants
_ON_THE_WAY = f"""
WITH {_EARLIER}
SELECT coalesce(sum(p.total - p.failed - coalesce(scheduled.items, 0)), 0)::int
FROM batches AS b JOIN batch_progress AS p ON p.batch = b.id, LATERAL (
    SELECT sum(cardinality(items)) AS items FROM launches WHERE batch = b.id AND trigger = b.trigger AND attempt = 0
) AS scheduled
WHERE b.account = $1 AND b.trigger IS NOT NULL AND ($2::bytea IS NULL OR b.id = $2) AND ($3::int IS NULL OR b.trigger = $3) AND b.id >= $4
    AND NOT EXISTS (SELECT FROM earlier WHERE (earlier.batch = b.id OR earlier.trigger = b.trigger) AND asked_at > b.accepted_at)
"""  # noqa: S608  # constants
_BRING_FORWARD = f"""
UPDATE launches SET run_at = now() WHERE ctid = ANY(ARRAY(
    -- What somebody else works on he reads the row for by himself.
    SELECT ctid FROM launches WHERE {_MINE} AND run_at > now() AND due_at > now() LIMIT $4 FOR UPDATE SKIP LOCKED
))
RETURNING batch
"""  # noqa: S608  # constants
# Retention has put them off until they would have been due. Apart, because whoever makes a batch due locks it before its launches,
# and in one order, because another cancel may mean the same ones.
_LOOK_SOON = """
UPDATE batches SET look_at = now()
WHERE id IN (SELECT id FROM batches WHERE id = ANY($1::bytea[]) AND look_at > now() ORDER BY id FOR NO KEY UPDATE)
"""
# Where ids of batches begin that were accepted within an hour: what is still on its way is younger, or the pipeline stands.
_AN_HOUR = 3_600_000


@dataclass(frozen=True)
class Which:
    """Launches of one batch, of one trigger, or of one profile."""

    account: int
    batch: bytes | None = None
    trigger: TriggerId | None = None
    profile: bytes | None = None


@dataclass(frozen=True)
class Cancelled:
    """`cancelled` are certainly taken back; of those `not_yet_scheduled` each will be, unless its item fails.

    `under_way`: groups that a launcher works on right now; it reads the row within seconds.
    """

    cancelled: int
    not_yet_scheduled: int
    under_way: int


async def cancel(connection: asyncpg.Connection, which: Which) -> Cancelled:
    """Each statement by itself: the first one is the truth, and who dies after it has cancelled all the same."""
    ours = await connection.fetchval(_ASK, which.account, which.batch, which.trigger, which.profile)
    # Whoever claims a group from now on reads that row, so what nobody holds at this moment is never begun.
    counted = await connection.fetchrow(_COUNT, which.account, which.batch, which.trigger, which.profile, ours)
    waiting = 0
    if which.profile is None:
        waiting = await connection.fetchval(_ON_THE_WAY, which.account, which.batch, which.trigger, await _since(connection, which), ours)
        await _bring_forward(connection, which)
    return Cancelled(counted["cancelled"], waiting, counted["under_way"])


@dataclass(frozen=True)
class Foreseen:
    """What a cancel would take back; where there are more groups than were looked at, at least so much."""

    launches: int
    groups: int
    is_all: bool


async def foresee(connection: asyncpg.Connection, which: Which, most: int) -> Foreseen:
    """Changes nothing. Of a profile's launches all groups of its account have to be looked at."""
    if which.profile is not None:
        counted = await connection.fetchrow(_COUNT, which.account, None, None, which.profile, None)
        return Foreseen(counted["cancelled"], counted["under_way"], is_all=True)
    row = await connection.fetchrow(_COUNT_FEW, which.account, which.batch, which.trigger, most + 1)
    return Foreseen(row["launches"], min(row["groups"], most), row["groups"] <= most)


async def _since(connection: asyncpg.Connection, which: Which) -> bytes:
    if which.batch is not None:
        return b""
    now = await connection.fetchval("SELECT (extract(epoch FROM now()) * 1000)::bigint")
    return bytes((now - _AN_HOUR).to_bytes(6, "big"))


async def _bring_forward(connection: asyncpg.Connection, which: Which) -> None:
    """So that their ends are told now, and not on the day they would have been due; nor are they kept until then."""
    for _ in range(_PAGES):
        brought = await connection.fetch(_BRING_FORWARD, which.account, which.batch, which.trigger, _PAGE)
        await connection.execute(_LOOK_SOON, {row["batch"] for row in brought})
        if len(brought) < _PAGE:
            return
