"""What could not be processed: payload and reason in the table, a notice on the topic."""

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, replace

import asyncpg
import msgspec
import structlog

from runtime.tracing import traces
from schemas import metrics
from schemas.messages import DeadLetter
from schemas.topics import Outgoing
from workers.exactly_once.chunks import Record
from workers.exactly_once.handler import Dead

log = structlog.get_logger()

_SET_ASIDE = "`profuse dead-letters list` shows them; when the cause is mended, `profuse dead-letters replay` sends them again."

# In a topic that was made anew an old letter may have left its place taken.
_BURY = """
    INSERT INTO dead_letters (topic, partition, "offset", key, value, headers, reason, batch, item, account)
    VALUES ($1, $2, $3, $4, $5, $6::jsonb, $7, $8, $9, coalesce((SELECT account FROM batches WHERE id = $8), 0))
    ON CONFLICT (topic, partition, "offset") DO UPDATE SET
        key = EXCLUDED.key, value = EXCLUDED.value, headers = EXCLUDED.headers, reason = EXCLUDED.reason,
        batch = EXCLUDED.batch, item = EXCLUDED.item, account = EXCLUDED.account, created_at = now(), replayed_at = NULL
"""


async def bury(connection: asyncpg.Connection, buried: Iterable[tuple[Record, Dead]]) -> None:
    """Keep the records as they came."""
    # With no rows it would be a way to Postgres and back all the same, with each chunk.
    if rows := [_row(record, dead) for record, dead in buried]:
        await connection.executemany(_BURY, rows)


@dataclass(frozen=True)
class Origin:
    """A batch that dead letters name."""

    account: int
    total: int


async def origins(connection: asyncpg.Connection, dead: Sequence[Dead]) -> dict[bytes, Origin]:
    """The batches that exist."""
    rows = await connection.fetch(
        "SELECT id, account, total FROM batches WHERE id = ANY($1::bytea[])", list({each.batch for each in dead if each.batch})
    )
    return {row["id"]: Origin(row["account"], row["total"]) for row in rows}


def placed(dead: Dead, origins: Mapping[bytes, Origin]) -> Dead:
    """A batch that nobody knows, or an item beyond its batch, is as good as none."""
    origin = origins.get(dead.batch or b"")
    known = origin is not None and (dead.item is None or dead.item < origin.total)
    return dead if known else replace(dead, batch=None, item=None)


def notice(topic: str, record: Record, dead: Dead) -> Outgoing:
    """The dead letter's metadata for `topic`; its payload stays in the table."""
    letter = DeadLetter(
        topic=dead.topic,
        partition=dead.partition,
        offset=dead.offset,
        reason=dead.reason,
        batch=dead.batch.hex() if dead.batch else None,
        item=dead.item,
    )
    return Outgoing(topic, record.key or b"", letter.encode())


def headers_of(stored: str) -> tuple[tuple[str, bytes], ...]:
    """Headers as they came, of a row's `headers`; one without a value reads like an empty one."""
    pairs: list[tuple[str, str | dict[str, str] | None]] = msgspec.json.decode(stored)
    return tuple((name, bytes.fromhex(value["hex"]) if isinstance(value, dict) else (value or "").encode()) for name, value in pairs)


def _row(record: Record, dead: Dead) -> tuple[object, ...]:
    shown = msgspec.json.encode([[_without_nul(name), _stored(value)] for name, value in record.headers]).decode()
    # What cannot be read may be named by it.
    return (dead.topic, dead.partition, dead.offset, record.key, record.value, shown, _without_nul(dead.reason), dead.batch, dead.item)


def _without_nul(text: str) -> str:
    return text.replace("\0", "\ufffd")


def _stored(value: bytes | None) -> str | dict[str, str] | None:
    """Text where it is text, so that a person can read it; jsonb takes no NUL."""
    try:
        text = None if value is None else value.decode()
    except UnicodeDecodeError:
        text = "\0"
    return {"hex": (value or b"").hex()} if text is not None and "\0" in text else text


def tell(topic: str, dead: Sequence[Dead]) -> None:
    """One line for all that a chunk set aside."""
    if dead:
        first = dead[0]
        where = {"topic": first.topic, "partition": first.partition, "offset": first.offset}
        log.error("messages_set_aside", **where, messages=len(dead), reason=first.reason, todo=_SET_ASIDE)
        metrics.DEAD_LETTERS.labels(topic).inc(len(dead))
    for batch in {each.batch for each in dead if each.batch is not None}:
        traces().failed(batch)
