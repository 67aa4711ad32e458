"""How the items ended: packed rows of `results`, and bits in `batch_progress`."""

from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import TypeVar

import asyncpg
import msgspec

from runtime.arrays import array
from schemas import bits
from schemas.ids import SIZE
from schemas.item_errors import CANNOT_BE_PROCESSED
from workers.exactly_once import Conflict
from workers.matcher.item import Item, Outcome

# An item counts once: whoever comes second finds its bit set, and nothing of his counts.
_RECORD = """
    WITH recorded AS (
        INSERT INTO results (batch, chunk, items, profiles, errors, custom_data)
        SELECT batch, chunk, items::int[], profiles, errors, custom_data
        FROM unnest($5::bytea[], $6::int[], $7::text[], $8::bytea[], $9::jsonb[], $10::json[])
          AS ended (batch, chunk, items, profiles, errors, custom_data)
    ), locked AS (
        -- In everybody's order.
        SELECT batch FROM batch_progress WHERE batch = ANY($1::bytea[]) ORDER BY batch FOR NO KEY UPDATE
    )
    UPDATE batch_progress AS progress
    SET done = progress.done | counted.bits, imported = progress.imported + counted.imported, failed = progress.failed + counted.failed
    FROM locked JOIN unnest($1::bytea[], $2::varbit[], $3::int[], $4::int[]) AS counted (batch, bits, imported, failed) USING (batch)
    WHERE progress.batch = locked.batch AND bit_count(progress.done & counted.bits) = 0
    RETURNING progress.imported + progress.failed = progress.total AS finished
"""

# One bit for each item, the first one leftmost.
_DONE = "SELECT batch, done FROM batch_progress WHERE batch = ANY($1::bytea[])"

_NOBODY = bytes(SIZE)

R = TypeVar("R", bound=Item | Outcome)


async def fresh(connection: asyncpg.Connection, asked: Sequence[R]) -> list[R]:
    """Without those whose item is done, or that repeat one before them; of a batch that was deleted all items were answered."""
    rows = await connection.fetch(_DONE, list({each.batch.id for each in asked}))
    done = {row["batch"]: row["done"].bytes for row in rows}
    kept: dict[tuple[bytes, int], R] = {}
    for each in asked:
        batch = each.batch.id
        if batch in done and not bits.is_set(done[batch], each.number):
            kept.setdefault((batch, each.number), each)
    return list(kept.values())


def by_batch(outcomes: Iterable[Outcome]) -> list[list[Outcome]]:
    """The outcomes of each batch in the order of its items; the first one's number names the chunk.

    The dead lie apart: a replay takes them back and names what is left anew, and launches know the others by the name that they have.
    """
    chunks: dict[tuple[bytes, bool], list[Outcome]] = defaultdict(list)
    for outcome in sorted(outcomes, key=lambda outcome: (outcome.batch.id, outcome.number)):
        chunks[outcome.batch.id, outcome.error is CANNOT_BE_PROCESSED].append(outcome)
    return list(chunks.values())


async def record(connection: asyncpg.Connection, chunks: Sequence[Sequence[Outcome]]) -> bool:
    """Store the outcomes of each chunk; whether they finish a batch.

    Raises `Conflict` if another transaction did one of the items.
    """
    if not chunks:
        return False
    batches: dict[bytes, list[Outcome]] = defaultdict(list)
    for chunk in chunks:
        batches[chunk[0].batch.id] += chunk
    counts = [_count(outcomes) for outcomes in batches.values()]
    recorded = zip(*map(_result, chunks), strict=True)
    counted = await connection.fetch(_RECORD, *zip(*counts, strict=True), *recorded)
    if len(counted) < len(counts):
        raise Conflict("an item was done meanwhile")
    return any(row["finished"] for row in counted)


def _result(chunk: Sequence[Outcome]) -> tuple[bytes, int, str, bytes, str, str]:
    items = array([outcome.number for outcome in chunk])
    profiles = b"".join(outcome.profile or _NOBODY for outcome in chunk)
    errors = {str(outcome.number): outcome.error.entry() for outcome in chunk if outcome.error}
    custom_data = {str(outcome.number): outcome.custom_data for outcome in chunk if outcome.custom_data}
    return chunk[0].batch.id, chunk[0].number, items, profiles, _json(errors), _json(custom_data)


def _count(outcomes: Sequence[Outcome]) -> tuple[bytes, asyncpg.BitString, int, int]:
    batch = outcomes[0].batch
    done = bits.packed(batch.total, (outcome.number for outcome in outcomes))
    failed = sum(outcome.error is not None for outcome in outcomes)
    return batch.id, asyncpg.BitString.frombytes(done, bitlength=batch.total), len(outcomes) - failed, failed


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
