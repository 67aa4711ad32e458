"""Batches that are over go with all that is their own; the others are looked at again when something can have changed."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime, timedelta

import asyncpg

from runtime.postgres import affected

# A batch takes its attachments, results and launches along.
PAGE = 200

# The index gives as many rows as are looked at, however many wait for a later moment.
_LOOK = "SELECT id FROM batches WHERE look_at <= $1 ORDER BY look_at LIMIT $2"

_OVER = """
SELECT b.id FROM batches b JOIN batch_progress p ON p.batch = b.id
-- Not when it was due: what is over before may have been taken back, or have failed at the door.
WHERE b.id = ANY($1) AND b.accepted_at < now() - $2::interval
AND (
    -- What the broker has is answered, however long that takes.
    p.imported + p.failed = p.total
    -- What it never got whole is over once nobody publishes it any more, and all that it did get is answered.
    OR b.published_at IS NULL AND b.accepting_until < now() - $2::interval AND $3
    -- An item that the matchers have come past without an answer was a dead letter that nobody could read, or its record is lost.
    OR b.published_at < now() - greatest($2::interval, $5::interval) AND $3
)
-- Those that expired are gone by now.
AND NOT EXISTS (SELECT FROM requests r WHERE r.batch = b.id)
-- A replay needs the batch; one that was replayed does until whoever reads the record has come to it, and goes after a day.
AND NOT EXISTS (SELECT FROM dead_letters d WHERE d.batch = b.id)
AND NOT EXISTS (SELECT FROM failures f WHERE f.batch = b.id AND f.failed_at > now() - $4::interval)
AND NOT EXISTS (SELECT FROM launches l WHERE l.batch = b.id AND l.finished_at IS NULL)
-- Launchers may be behind: every imported item has a launch, or is told where there is none, so none is still on its way.
AND CASE WHEN b.trigger IS NULL THEN NOT EXISTS (
    SELECT FROM results r WHERE r.batch = b.id AND NOT r.told
    -- Of a row whose items all failed nothing is told.
    AND (SELECT count(*) FROM jsonb_object_keys(r.errors)) < cardinality(r.items)
) ELSE p.imported = (
    SELECT coalesce(sum(cardinality(l.items)), 0) FROM launches l WHERE l.batch = b.id AND l.trigger = b.trigger AND l.attempt = 0
) END
"""
# Whoever uses one may go on using it; a later sweep looks again.
_LOCK = f"{_OVER} FOR UPDATE OF b SKIP LOCKED"
# Asked once more, now that nobody can begin anything of them: a replay may have, after the first look had begun.
_DELETE = f"DELETE FROM batches WHERE id IN ({_OVER})"  # noqa: S608  # a constant

# Before the first of these moments nothing about it can change. What waits for none of them, such as an answer or an operator,
# is looked at ever more rarely: after a sixteenth of its age.
_PUT_OFF = """
UPDATE batches AS b SET look_at = greatest(
    b.accepted_at + $2::interval,
    (SELECT max(l.run_at) FROM launches l WHERE l.batch = b.id AND l.finished_at IS NULL),
    (SELECT max(f.failed_at) FROM failures f WHERE f.batch = b.id) + $4::interval,
    (SELECT max(r.expires_at) FROM requests r WHERE r.batch = b.id),
    (SELECT max(d.replayed_at) FROM dead_letters d WHERE d.batch = b.id) + $2::interval,
    now() + greatest($3::interval, least((now() - b.accepted_at) / 16, interval '6 hours'))
)
WHERE b.id IN (SELECT id FROM batches WHERE id = ANY($1) FOR NO KEY UPDATE SKIP LOCKED)
"""


@dataclass(frozen=True)
class Terms:
    """How long batches are kept, how often they are looked at, and whether the matchers have come to what is as old as that."""

    kept: timedelta
    # After the last launch that failed.
    failures_kept: timedelta
    # For an answer that may still come by a dead letter.
    letters_kept: timedelta
    every: timedelta
    caught_up: bool

    @property
    def asked(self) -> tuple[object, ...]:
        """The parameters of what asks whether batches are over, behind the batches."""
        return self.kept, self.caught_up, self.failures_kept, self.letters_kept


@dataclass(frozen=True)
class Swept:
    """Of the batches that were looked at."""

    deleted: int
    put_off: int

    @property
    def moved(self) -> int:
        return self.deleted + self.put_off


async def sweep(connection: asyncpg.Connection, now: datetime, terms: Terms, most: int = PAGE) -> Swept | None:
    """Look at so many of the batches whose time had come at a moment; None if there was none."""
    page = await due(connection, now, most)
    if not page:
        return None
    async with connection.transaction():
        locked = await lock(connection, page, terms)
        deleted = affected(await connection.execute(_DELETE, locked, *terms.asked))
    return Swept(deleted, await put_off(connection, page, terms))


async def due(connection: asyncpg.Connection, now: datetime, most: int) -> list[bytes]:
    return [row["id"] for row in await connection.fetch(_LOOK, now, most)]


async def lock(connection: asyncpg.Connection, page: Sequence[bytes], terms: Terms) -> list[bytes]:
    """Those of them that are over; nobody can begin anything of them before the transaction ends."""
    return [row["id"] for row in await connection.fetch(_LOCK, page, *terms.asked)]


async def put_off(connection: asyncpg.Connection, page: Sequence[bytes], terms: Terms) -> int:
    return affected(await connection.execute(_PUT_OFF, page, terms.kept, terms.every, terms.failures_kept))
