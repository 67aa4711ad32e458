"""What could not be processed: payload and reason in the table, a notice on the topic."""

from collections.abc import Sequence

import asyncpg
import msgspec

from schemas.messages import DeadLetter
from schemas.topics import M, Outgoing
from workers.exactly_once.chunks import Entry


async def bury(connection: asyncpg.Connection, entries: Sequence[Entry[M]]) -> None:
    """Keep the records as they came."""
    await connection.executemany(
        """
        INSERT INTO dead_letters (topic, partition, "offset", key, value, headers, reason, batch, item)
        VALUES ($1, $2, $3, $4, $5, $6::jsonb, $7, $8, $9)
        """,
        [_row(entry) for entry in entries],
    )


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


def _row(entry: Entry[M]) -> tuple[object, ...]:
    record, dead = entry.record, entry.dead()
    # A NUL cannot be stored as text; headers are ours and short, so a replacement sign loses nothing.
    headers = [[name, value.decode(errors="replace").replace("\0", "\ufffd")] for name, value in record.headers]
    shown = msgspec.json.encode(headers).decode()
    return (dead.topic, dead.partition, dead.offset, record.key, record.value, shown, dead.reason, dead.batch, dead.item)
