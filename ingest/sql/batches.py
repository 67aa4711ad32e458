"""SQL of batches: accepting one, and noting that the broker has all of it."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, NamedTuple

import asyncpg
import msgspec

from ingest.sql import accounts
from ingest.sql.accounts import Database
from ingest.sql.request_ids import RequestId
from schemas import bits
from schemas.batches import BatchSettings
from schemas.ids import ResourceId, TriggerId

# Up to 75 MB take a busy server longer than anything else that is asked of it.
_ATTACHED_WITHIN = 25.0


class File(NamedTuple):
    """A file as it is stored."""

    name: str
    mimetype: str
    content: bytearray


@dataclass(frozen=True)
class NewBatch:
    """What the items of a batch share, and the ones that failed at the door."""

    id: bytes
    account: int
    database: int
    # None where it starts none of its own.
    trigger: TriggerId | None
    resource: ResourceId | None
    total: int
    settings: BatchSettings
    content: Mapping[str, Any]
    custom_data: Mapping[str, Any]
    wait: timedelta
    rejects: Mapping[int, Mapping[str, Any]]
    lease: timedelta
    # Retention need not look at it before.
    kept: timedelta
    files: Sequence[File]
    # What the request is known by, if it has an id, and how long.
    request: RequestId | None
    remembered: timedelta


@dataclass(frozen=True)
class Unfinished:
    """What the first try left of a batch, besides its settings."""

    database: Database
    # Items that are answered, those that failed at the door among them.
    done: frozenset[int]


# One statement for all that are accepted together: one commit, and no wait in between.
# Accepted is the database's clock: what is due is judged by no other.
_INSERT = """
WITH given AS (
    SELECT * FROM unnest($1::bytea[], $2::int[], $3::int[], $4::int[], $5::int[], $6::text[], $7::text[], $8::text[], $9::int[],
        $10::boolean[], $11::boolean[], $12::boolean[], $13::json[], $14::json[], $15::jsonb[], $16::interval[], $17::interval[],
        $18::interval[], $19::varbit[], $20::int[], $21::int[], $22::text[], $23::text[], $24::bytea[], $25::interval[])
    AS given (id, account, database, trigger, total, kind, matching, field_name, resource,
        skip_triggers, skip_invalid_subscriptions, detect_geo, content, custom_data, rejects, wait, lease,
        kept, done, failed, token, request_id, path, body_hash, remembered)
), request AS (
    INSERT INTO requests (token, request_id, path, body_hash, batch, expires_at)
    -- In everybody's order: two gateways may be given the same ids.
    SELECT token, request_id, path, body_hash, id, now() + remembered FROM given WHERE request_id IS NOT NULL ORDER BY token, request_id
    -- Only an expired use of the id gives way.
    ON CONFLICT (token, request_id) DO UPDATE SET
        path = excluded.path, body_hash = excluded.body_hash, batch = excluded.batch, answer = NULL, expires_at = excluded.expires_at
    WHERE requests.expires_at <= now()
    RETURNING batch
), accepted AS (
    INSERT INTO batches (id, account, database, trigger, total, kind, matching, field_name, resource, skip_triggers,
        skip_invalid_subscriptions, detect_geo, content, custom_data, rejects, due_at, accepting_until, look_at)
    SELECT id, account, database, trigger, total, kind, matching, field_name, resource, skip_triggers,
        skip_invalid_subscriptions, detect_geo, content, custom_data, rejects, now() + wait, now() + lease, now() + kept
    FROM given WHERE request_id IS NULL OR id IN (SELECT batch FROM request)
    RETURNING id
)
INSERT INTO batch_progress (batch, total, done, failed)
SELECT id, total, done, failed FROM accepted JOIN given USING (id) RETURNING batch
"""


async def insert(connection: asyncpg.Connection, new: Sequence[NewBatch]) -> list[bool]:
    """Accept the batches, and tie the ids of their requests to them; whether each is, or somebody else uses its id."""
    rows = await connection.fetch(_INSERT, *zip(*map(_row, new), strict=True))
    accepted = {row["batch"] for row in rows}
    return [batch.id in accepted for batch in new]


async def insert_with_files(connection: asyncpg.Connection, batch: NewBatch) -> bool:
    """As `insert` does; its files with it, or nothing."""
    async with connection.transaction():
        (accepted,) = await insert(connection, [batch])
        if accepted:
            await _attach(connection, batch.id, batch.files)
    return accepted


def _row(batch: NewBatch) -> tuple[Any, ...]:
    settings, request = batch.settings, batch.request
    return (
        batch.id,
        batch.account,
        batch.database,
        batch.trigger,
        batch.total,
        settings.kind,
        settings.matching,
        settings.field_name,
        batch.resource,
        settings.skip_triggers,
        settings.skip_invalid_subscriptions,
        settings.detect_geo,
        _json(batch.content),
        _json(batch.custom_data),
        _json({str(item): entry for item, entry in batch.rejects.items()}),
        batch.wait,
        batch.lease,
        batch.kept,
        asyncpg.BitString.frombytes(bits.packed(batch.total, batch.rejects), bitlength=batch.total),
        len(batch.rejects),
        *((request.token, request.id, request.path, request.body_hash) if request else (None, None, None, None)),
        batch.remembered,
    )


async def renew(connection: asyncpg.Connection, batch: bytes, lease: timedelta) -> None:
    """Say that the gateway which publishes the batch is alive."""
    await connection.execute("UPDATE batches SET accepting_until = now() + $2::interval WHERE id = $1", batch, lease)


async def take_over(connection: asyncpg.Connection, batch: bytes, lease: timedelta) -> bool:
    """Become the one who publishes the batch; of several who saw the lease end, one does."""
    return (
        await connection.fetchval(
            "UPDATE batches SET accepting_until = now() + $2::interval "
            "WHERE id = $1 AND published_at IS NULL AND accepting_until < now() RETURNING true",
            batch,
            lease,
        )
        is not None
    )


async def unfinished(connection: asyncpg.Connection, batch: bytes) -> Unfinished:
    row = await connection.fetchrow(
        "SELECT b.database, b.total, d.fields::text AS fields, p.done "
        "FROM batches b JOIN databases d ON d.id = b.database JOIN batch_progress p ON p.batch = b.id WHERE b.id = $1",
        batch,
    )
    done = row["done"].bytes
    items = frozenset(item for item in range(row["total"]) if bits.is_set(done, item))
    return Unfinished(accounts.database(row["database"], row["fields"]), items)


async def reject(connection: asyncpg.Connection, batch: bytes, rejects: Mapping[int, Mapping[str, Any]]) -> None:
    """Answer items of an accepted batch that can no longer be published; those that are answered already stay as they are."""
    done = await connection.fetchrow("SELECT total, done FROM batch_progress WHERE batch = $1 FOR NO KEY UPDATE", batch)
    left = {item: entry for item, entry in rejects.items() if not bits.is_set(done["done"].bytes, item)}
    await connection.execute(
        "UPDATE batch_progress SET done = done | $2, failed = failed + $3 WHERE batch = $1",
        batch,
        asyncpg.BitString.frombytes(bits.packed(done["total"], left), bitlength=done["total"]),
        len(left),
    )
    entries = _json({str(item): entry for item, entry in left.items()})
    await connection.execute("UPDATE batches SET rejects = rejects || $2::jsonb WHERE id = $1", batch, entries)


async def mark_published(connection: asyncpg.Connection, batches: Sequence[bytes]) -> Sequence[None]:
    await connection.execute("UPDATE batches SET published_at = now() WHERE id = ANY($1::bytea[]) AND published_at IS NULL", batches)
    return [None] * len(batches)


async def positions(connection: asyncpg.Connection, topic: str) -> list[int]:
    """How far each partition of a topic is processed, by partition."""
    rows = await connection.fetch("SELECT position FROM progress WHERE topic = $1 ORDER BY partition", topic)
    return [row["position"] for row in rows]


async def _attach(connection: asyncpg.Connection, batch: bytes, files: Sequence[File]) -> None:
    await connection.executemany(
        "INSERT INTO attachments (batch, position, name, mimetype, data) VALUES ($1, $2, $3, $4, $5)",
        [(batch, position, *file) for position, file in enumerate(files)],
        timeout=_ATTACHED_WITHIN,
    )


def _json(value: object) -> str:
    return msgspec.json.encode(value).decode()
