"""What could not be processed: payload and reason in the table, a notice on the topic."""

from collections.abc import Sequence

import asyncpg
import msgspec

from schemas.messages import DeadLetter
from schemas.topics import M, Outgoing
from workers.exactly_once.chunks import Entry
from workers.exactly_once.room import Dead


async def bury(connection: asyncpg.Connection, entries: Sequence[Entry[M]]) -> None:
    """Keep the records as they came."""
    await connection.executemany(
        """
        INSERT INTO dead_letters (topic, partition, "offset", key, value, headers, reason, batch, item, account)
        VALUES ($1, $2, $3, $4, $5, $6::jsonb, $7, $8, $9, coalesce((SELECT account FROM batches WHERE id = $8), 0))
        """,
        [_row(entry) for entry in entries],
    )


async def accounts(connection: asyncpg.Connection, dead: Sequence[Dead]) -> dict[bytes, int]:
    """The accounts of the batches that are known."""
    rows = await connection.fetch(
        "SELECT id, account FROM batches WHERE id = ANY($1::bytea[])", list({each.batch for each in dead if each.batch})
    )
    return {row["id"]: row["account"] for row in rows}


def notice(topic: str, entry: Entry[M]) -> Outgoing:
    """The dead letter's metadata for `topic`; its payload stays in the table."""
    dead = entry.dead()
    letter = DeadLetter(
        topic=dead.topic,
        partition=dead.partition,
        offset=dead.offset,
        reason=dead.reason,
        batch=dead.batch.hex() if dead.batch else None,
        item=dead.item,
    )
    return Outgoing(topic, entry.record.key or b"", letter.encode())


def headers_of(stored: str) -> tuple[tuple[str, bytes], ...]:
    """Headers as they came, of a row's `headers`; one without a value reads like an empty one."""
    pairs: list[tuple[str, str | dict[str, str] | None]] = msgspec.json.decode(stored)
    return tuple((name, bytes.fromhex(value["hex"]) if isinstance(value, dict) else (value or "").encode()) for name, value in pairs)


def _row(entry: Entry[M]) -> tuple[object, ...]:
    record, dead = entry.record, entry.dead()
    shown = msgspec.json.encode([[name.replace("\0", "\ufffd"), _stored(value)] for name, value in record.headers]).decode()
    return (dead.topic, dead.partition, dead.offset, record.key, record.value, shown, dead.reason, dead.batch, dead.item)


def _stored(value: bytes | None) -> str | dict[str, str] | None:
    """Text where it is text, so that a person can read it; jsonb takes no NUL."""
    try:
        text = None if value is None else value.decode()
    except UnicodeDecodeError:
        text = "\0"
    return {"hex": (value or b"").hex()} if text is not None and "\0" in text else text
