"""SQL of a batch's outcome: one entry per item, in the order of the request."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple

import asyncpg
import msgspec

from schemas.ids import SIZE

Entry = dict[str, Any]

# Bytes that an entry takes, its JSON beside it, as measured.
SIZE_OF_ENTRY = 320


# Items of a batch that is answered as soon as it is seen to be finished.
_SMALL = 100
# Batches that are seen to be finished at a time; each may be as large as that.
_SEEN = 256


class Finished(NamedTuple):
    """A batch whose every item is answered; with its entries if these are few."""

    batch: bytes
    entries: list[Entry | None] | None


@dataclass(frozen=True)
class Status:
    """How far a batch has come."""

    word: str
    total: int
    imported: int
    failed: int
    launches: dict[str, int]

    @property
    def progress(self) -> int:
        """Answered items in per cent, rounded down."""
        return 100 * (self.imported + self.failed) // self.total


async def total(connection: asyncpg.Connection, account: int, batch: bytes) -> int | None:
    """How many items one of the account's batches has."""
    found: int | None = await connection.fetchval("SELECT total FROM batches WHERE id = $1 AND account = $2", batch, account)
    return found


# What small ones are answered comes along: it would take each of them four more statements.
_FINISHED = """
WITH finished AS (
    SELECT batch, total FROM batch_progress WHERE batch = ANY($1::bytea[]) AND imported + failed = total LIMIT $3
)
SELECT finished.batch, finished.total, finished.total <= $2 AS is_small,
    CASE WHEN finished.total <= $2 THEN batches.rejects::text END AS rejects, results.items, results.profiles, results.errors::text
FROM finished JOIN batches ON batches.id = finished.batch
LEFT JOIN results ON results.batch = finished.batch AND finished.total <= $2
"""


async def finished(connection: asyncpg.Connection, batches: Sequence[bytes]) -> list[Finished]:
    """Those of the batches whose every item is answered; the others may be asked for again."""
    found: dict[bytes, Finished] = {}
    for row in await connection.fetch(_FINISHED, batches, _SMALL, _SEEN):
        if row["batch"] not in found:
            found[row["batch"]] = _seen(row)
        entries = found[row["batch"]].entries
        if entries is not None and row["items"] is not None:
            _place(entries, 0, row)
    return list(found.values())


def _seen(row: asyncpg.Record) -> Finished:
    """A batch with the entries of those items that failed at the door."""
    if not row["is_small"]:
        return Finished(row["batch"], None)
    entries: list[Entry | None] = [None] * row["total"]
    _place_errors(entries, 0, row["rejects"])
    return Finished(row["batch"], entries)


async def entries(connection: asyncpg.Connection, batch: bytes, start: int, stop: int) -> list[Entry | None]:
    """The entries of the items from `start` to before `stop`; None for one that is not answered yet."""
    found: list[Entry | None] = [None] * max(stop - start, 0)
    rejects = await connection.fetchval("SELECT rejects::text FROM batches WHERE id = $1", batch)
    _place_errors(found, start, rejects)
    async with connection.transaction(readonly=True):
        # Row by row: all the rows of a large batch together are many times its answer.
        async for row in connection.cursor("SELECT items, profiles, errors::text AS errors FROM results WHERE batch = $1", batch):
            _place(found, start, row)
    return found


async def status(connection: asyncpg.Connection, account: int, batch: bytes, incomplete_after: timedelta) -> Status | None:
    """How far one of the account's batches has come."""
    row = await connection.fetchrow(
        "SELECT b.total, b.published_at, p.imported, p.failed, "
        "b.accepting_until + $3::interval < now() AS silent "
        "FROM batches b JOIN batch_progress p ON p.batch = b.id WHERE b.id = $1 AND b.account = $2",
        batch,
        account,
        incomplete_after,
    )
    if row is None:
        return None
    word = word_of(row["imported"] + row["failed"] == row["total"], row["published_at"] is not None, row["silent"])
    return Status(word, row["total"], row["imported"], row["failed"], await _launches(connection, batch))


def word_of(answered: bool, published: bool, silent: bool) -> str:
    """How far a batch has come, in a word."""
    if answered:
        return "completed"
    if published:
        return "running"
    return "incomplete" if silent else "accepting"


async def _launches(connection: asyncpg.Connection, batch: bytes) -> dict[str, int]:
    row = await connection.fetchrow(
        # A launch that left for another attempt is done here, and counted there.
        "SELECT coalesce(sum(cardinality(items) - bit_count(done)) FILTER (WHERE finished_at IS NULL), 0)::int AS scheduled, "
        "coalesce(sum(launched), 0)::int AS launched, coalesce(sum(skipped), 0)::int AS skipped, "
        "coalesce(sum(failed), 0)::int AS launch_failed, coalesce(sum(cancelled), 0)::int AS cancelled FROM launches WHERE batch = $1",
        batch,
    )
    return dict(row)


def _place(found: list[Entry | None], start: int, row: asyncpg.Record) -> None:
    """A row of results."""
    _place_profiles(found, start, row["items"], row["profiles"])
    _place_errors(found, start, row["errors"])


def _place_profiles(found: list[Entry | None], start: int, items: list[int], profiles: bytes) -> None:
    shown = profiles.hex()
    for position, item in enumerate(items):
        if 0 <= item - start < len(found):
            found[item - start] = {"profile_id": shown[2 * SIZE * position : 2 * SIZE * (position + 1)]}


def _place_errors(found: list[Entry | None], start: int, stored: str) -> None:
    errors: dict[str, Entry] = msgspec.json.decode(stored)
    for item, entry in errors.items():
        if 0 <= int(item) - start < len(found):
            found[int(item) - start] = entry
