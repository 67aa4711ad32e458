"""What became of launches, as the bits and counts of their groups."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple

import asyncpg

from runtime.arrays import array
from workers.launcher.groups.group import Group, Leaving
from workers.launcher.groups.naming import MINE, THEIRS, key_of, still_ours

# Marked twice, as after a commit whose outcome was unknown, a launch counts once: its bit is set by then.
_COUNTED = """
    done = done | sent | skips | fails | cancels | leaves,
    launched = launched + bit_count(sent & ~done)::int,
    skipped = skipped + bit_count(skips & ~done)::int,
    failed = failed + bit_count(fails & ~done)::int,
    cancelled = cancelled + bit_count(cancels & ~done)::int,
    claims = 0, outbox = told,
    -- Its destination takes something.
    held_since = CASE WHEN bit_count(sent & ~done) = 0 THEN held_since END
"""
_MARK = f"""
UPDATE launches SET {_COUNTED}
FROM unnest($1::bytea[], $2::int[], $3::smallint[], $4::int[], $5::bigint[], $6::varbit[], $7::varbit[], $8::varbit[], $9::varbit[],
    $10::varbit[], $11::bytea[])
    AS named (batch, trigger, attempt, first_item, fence, sent, skips, fails, cancels, leaves, told)
WHERE {THEIRS}
RETURNING launches.batch, launches.trigger, launches.attempt, launches.first_item, launches.fence
"""  # noqa: S608  # constants
_MARK_AND_LEAVE = f"""
WITH marked AS (
    UPDATE launches SET {_COUNTED}
    FROM (VALUES ($6::varbit, $7::varbit, $8::varbit, $9::varbit, $10::varbit, $11::bytea))
        AS named (sent, skips, fails, cancels, leaves, told)
    WHERE {MINE} RETURNING batch, trigger, attempt, first_item, account, due_at, chunk, run, began, traceparent
),
failed_here AS (
    INSERT INTO failures (batch, trigger, item, profile, reason, attempt, first_item, run)
    SELECT batch, trigger, failing.item, failing.profile, failing.reason, attempt, first_item, run
    FROM marked, unnest($18::int[], $19::bytea[], $20::text[]) AS failing (item, profile, reason)
    ON CONFLICT (batch, trigger, item) DO UPDATE
    SET reason = excluded.reason, failed_at = now(), attempt = excluded.attempt, first_item = excluded.first_item, run = excluded.run
),
left_it AS (
    INSERT INTO launches
        (batch, trigger, attempt, first_item, account, due_at, run_at, chunk, items, profiles, done, doubts, doubted,
        run, began, traceparent)
    SELECT batch, trigger, attempt + 1, (leaving.items::int[])[1], account, due_at, now() + leaving.rest, chunk,
           leaving.items::int[], leaving.profiles, repeat('0', cardinality(leaving.items::int[]))::varbit, leaving.doubts,
           leaving.doubted, run, began + 1 - leaving.counts, traceparent
    FROM marked, unnest($12::text[], $13::bytea[], $14::int[], $15::text[], $16::interval[], $17::int[])
        AS leaving (items, profiles, doubts, doubted, rest, counts)
    ON CONFLICT DO NOTHING
)
SELECT count(*) FROM marked
"""  # noqa: S608  # constants


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


class Marked(NamedTuple):
    """Positions of a group that are settled; `outbox` is what the world is to hear of them."""

    group: Group
    marks: Marks
    outbox: bytes | None

    def is_plain(self) -> bool:
        """Whether none of them leaves or failed."""
        return not self.marks.groups and not self.marks.reasons


async def mark(connection: asyncpg.Connection, marked: Sequence[Marked]) -> list[bool]:
    """Settle plain ones; may be repeated. Of each group whether its lease is still the one that is known."""
    # In everybody's order: two statements that mark several of the same would wait for one another.
    rows = [(*key_of(each.group), *_bits(each), each.outbox) for each in sorted(marked, key=lambda each: key_of(each.group))]
    return still_ours([each.group for each in marked], await connection.fetch(_MARK, *map(list, zip(*rows, strict=True))))


async def mark_and_leave(pool: asyncpg.Pool, marked: Marked) -> bool:
    """The same, with groups of the next attempt for those that leave, and a row for each that failed."""
    group, marks = marked.group, marked.marks
    left = [[array(each.items), each.profiles, each.doubts, each.doubted, each.rest, each.counts] for each in marks.groups]
    failed = [[group.items[at], group.profiles[at], why] for at, why in marks.reasons.items()]
    values = (*key_of(group), *_bits(marked), marked.outbox)
    columns = [list(column) for rows, width in ((left, 6), (failed, 3)) for column in (zip(*rows, strict=True) if rows else [()] * width)]
    return bool(await pool.fetchval(_MARK_AND_LEAVE, *values, *columns))


def _bits(marked: Marked) -> tuple[asyncpg.BitString, ...]:
    marks = marked.marks
    return tuple(marked.group.bits(each) for each in (marks.sent, marks.skipped, marks.failed, marks.cancelled, marks.leaving))
