"""SQL of the list of batches."""

from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import asyncpg

from ingest.sql.results import word_of
from profuse.console.reading.counted import MOST

PAGE = 50

# Ids are ordered by time. What a filter finds too seldom is looked for among so many only.
_LIST = """
SELECT batch.id, encode(batch.id, 'hex') AS shown, batch.account, batch.kind, batch.total, batch.accepted_at,
    batch.published_at, batch.due_at,
    batch.accepting_until + $6::interval < now() AS silent, progress.imported, progress.failed,
    trigger.number AS trigger, left(trigger.name, 255) AS trigger_name
FROM (
    SELECT id, account, kind, total, accepted_at, published_at, due_at, accepting_until, trigger FROM batches
    WHERE $1::bytea IS NULL OR id < $1 ORDER BY id DESC LIMIT $5
) AS batch
JOIN batch_progress AS progress ON progress.batch = batch.id
LEFT JOIN triggers AS trigger ON trigger.id = batch.trigger
WHERE ($2::int IS NULL OR batch.account = $2) AND ($3::int IS NULL OR trigger.number = $3) AND (NOT $4 OR progress.failed > 0)
ORDER BY batch.id DESC LIMIT $7
"""
# Where the next look begins when the one before found less than a page.
_LAST = "SELECT id FROM batches WHERE $1::bytea IS NULL OR id < $1 ORDER BY id DESC OFFSET $2 LIMIT 1"


@dataclass(frozen=True)
class Wanted:
    """Which batches; without any condition all of them."""

    account: int | None = None
    trigger: int | None = None
    only_failed: bool = False
    before: bytes | None = None


@dataclass(frozen=True)
class Page:
    rows: list[dict[str, Any]]
    # The id before which the next page begins; None: there is none.
    older: str | None


async def listed(connection: asyncpg.Connection, wanted: Wanted, incomplete_after: timedelta) -> Page:
    """The newest first."""
    filters = (wanted.before, wanted.account, wanted.trigger, wanted.only_failed)
    found = [dict(row) for row in await connection.fetch(_LIST, *filters, MOST, incomplete_after, PAGE + 1)]
    rows = found[:PAGE]
    for row in rows:
        row["word"] = word_of(row["imported"] + row["failed"] == row["total"], row["published_at"] is not None, row["silent"])
    if len(found) > PAGE:
        return Page(rows, rows[-1]["shown"])
    last = await connection.fetchval(_LAST, wanted.before, MOST - 1)
    return Page(rows, None if last is None else last.hex())
