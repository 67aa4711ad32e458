"""SQL of batches: accepting one, and noting that the broker has all of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import asyncpg
import msgspec

from ingest.requests import Attachment, ImportAndStartBatch
from schemas.matching import Matching


@dataclass(frozen=True)
class NewBatch:
    """What the items of a batch share, and the ones that failed at the door."""

    id: bytes
    account: int
    database: int
    trigger: int
    resource: int | None
    request: ImportAndStartBatch
    wait: timedelta
    rejects: Mapping[int, Mapping[str, Any]]

    @property
    def total(self) -> int:
        return len(self.request.data)


async def insert(connection: asyncpg.Connection, batch: NewBatch) -> None:
    """Accepted is the database's clock: what is due is judged by no other."""
    request = batch.request
    await connection.execute(
        "INSERT INTO batches (id, account, database, trigger, total, matching, field_name, resource, skip_triggers, "
        "skip_invalid_subscriptions, detect_geo, content, custom_data, rejects, due_at) "
        "VALUES ($1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12::jsonb, $13::jsonb, $14::jsonb, now() + $15::interval)",
        batch.id,
        batch.account,
        batch.database,
        batch.trigger,
        batch.total,
        request.matching,
        request.field_name if request.matching is Matching.CUSTOM else None,
        batch.resource,
        request.skip_triggers,
        request.skip_invalid_subscriptions,
        request.detect_geo,
        _json(request.content),
        _json(request.custom_data),
        _json({str(item): entry for item, entry in batch.rejects.items()}),
        batch.wait,
    )
    await connection.execute(
        "INSERT INTO batch_progress (batch, total, done, failed) VALUES ($1, $2, $3, $4)",
        batch.id,
        batch.total,
        done_bits(batch.total, batch.rejects),
        len(batch.rejects),
    )
    await _attach(connection, batch.id, request.attach)


async def mark_published(connection: asyncpg.Connection, batch: bytes) -> None:
    await connection.execute("UPDATE batches SET published_at = now() WHERE id = $1 AND published_at IS NULL", batch)


async def finished(connection: asyncpg.Connection, batches: Sequence[bytes]) -> list[bytes]:
    """Those of the batches whose every item is answered."""
    rows = await connection.fetch("SELECT batch FROM batch_progress WHERE batch = ANY($1) AND imported + failed = total", batches)
    return [row["batch"] for row in rows]


def done_bits(total: int, done: Mapping[int, object]) -> asyncpg.BitString:
    """One bit an item, the first one leftmost."""
    bits = bytearray((total + 7) // 8)
    for item in done:
        bits[item // 8] |= 0x80 >> item % 8
    return asyncpg.BitString.frombytes(bytes(bits), bitlength=total)


async def _attach(connection: asyncpg.Connection, batch: bytes, files: Sequence[Attachment]) -> None:
    await connection.executemany(
        "INSERT INTO attachments (batch, position, name, mimetype, data) VALUES ($1, $2, $3, $4, $5)",
        [(batch, position, attached.name, *attached.file) for position, attached in enumerate(files)],
    )


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
