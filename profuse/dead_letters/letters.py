"""SQL of dead letters: those that are wanted, with what has become of their items."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any

from sqlalchemy import ARRAY, BigInteger, ColumnElement, Integer, Row, Text, and_, case, cast, func, literal, select, tuple_
from sqlalchemy.ext.asyncio import AsyncConnection

from profuse.dead_letters.selection import Key, Wanted
from schemas.ids import SIZE
from schemas.item_errors import CANNOT_BE_PROCESSED
from schemas.tables import batch_progress, dead_letters, results
from schemas.topics import IMPORTS

_KEY = tuple_(dead_letters.c.topic, dead_letters.c.partition, dead_letters.c.offset)


@dataclass(frozen=True)
class Letter:
    """A dead letter without its payload."""

    key: Key
    reason: str
    batch: bytes | None
    item: int | None
    size: int
    created_at: datetime
    replayed_at: datetime | None
    # Whether its item is one of a batch that still exists; and whether it is answered, and how.
    known: bool
    answered: bool
    entry: Mapping[str, Any] | None

    @property
    def fate(self) -> str:
        """What has become of it."""
        if self.replayed_at is None:
            return "dead"
        if not self.known:
            return "published again"
        if not self.answered:
            return "waiting"
        if self.entry == CANNOT_BE_PROCESSED.entry():
            return "dead again"
        return "failed" if self.entry and "error" in self.entry else "imported"


async def find(connection: AsyncConnection, wanted: Wanted, limit: int | None = None) -> list[Letter]:
    """The oldest first."""
    position = func.array_position(results.c["items"], dead_letters.c.item)
    # A message of another topic answers no item.
    its_own = and_(batch_progress.c.batch == dead_letters.c.batch, dead_letters.c.topic.endswith(f".{IMPORTS.name}"))
    bit = case((dead_letters.c.item < batch_progress.c.total, func.get_bit(batch_progress.c.done, dead_letters.c.item)))
    statement = (
        select(
            *(dead_letters.c[name] for name in ("topic", "partition", "offset", "reason", "batch", "item", "created_at", "replayed_at")),
            func.coalesce(func.octet_length(dead_letters.c.value), 0).label("size"),
            bit.label("bit"),
            results.c.errors[cast(dead_letters.c.item, Text)].label("error"),
            func.encode(func.substring(results.c.profiles, SIZE * (position - 1) + 1, SIZE), "hex").label("profile"),
        )
        .outerjoin(batch_progress, its_own)
        .outerjoin(results, and_(results.c.batch == batch_progress.c.batch, dead_letters.c.item == func.any(results.c["items"])))
        .where(*_conditions(wanted))
        .order_by(dead_letters.c.created_at, *(dead_letters.c[name] for name in ("topic", "partition", "offset")))
        .limit(limit)
    )
    return [_letter(row) for row in (await connection.execute(statement)).mappings()]


async def now(connection: AsyncConnection) -> datetime:
    """By the database's clock, which says when they died."""
    moment: datetime = (await connection.execute(select(func.now()))).scalar_one()
    return moment


async def count(connection: AsyncConnection, wanted: Wanted, most: int | None = None) -> int:
    """How many there are; no more than `most` are counted."""
    meant = select(dead_letters.c.topic).where(*_conditions(wanted)).limit(most).subquery()
    return int((await connection.execute(select(func.count()).select_from(meant))).scalar_one())


async def page(connection: AsyncConnection, wanted: Wanted, after: Key | None, limit: int) -> list[Key]:
    """The next of them, in the order in which each partition had them."""
    statement = select(dead_letters.c.topic, dead_letters.c.partition, dead_letters.c.offset).where(*_conditions(wanted))
    if after is not None:
        statement = statement.where(tuple_(literal(after.topic), literal(after.partition), literal(after.offset, BigInteger)) < _KEY)
    return [Key(*row) for row in await connection.execute(statement.order_by(_KEY).limit(limit))]


async def content_of(connection: AsyncConnection, key: Key) -> Row[Any, Any, Any]:
    """Headers, key and value."""
    columns = (dead_letters.c.headers, dead_letters.c.key, dead_letters.c.value)
    return (await connection.execute(select(*columns).where(among([key])))).one()


def among(keys: Sequence[Key]) -> ColumnElement[bool]:
    # Three arrays, however many keys: a statement takes 32,767 parameters at most.
    topics = literal([key.topic for key in keys], ARRAY(Text))
    partitions = literal([key.partition for key in keys], ARRAY(Integer))
    offsets = literal([key.offset for key in keys], ARRAY(BigInteger))
    return _KEY.in_(select(func.unnest(topics), func.unnest(partitions), func.unnest(offsets)))


def _conditions(wanted: Wanted) -> list[ColumnElement[bool]]:
    age = func.now() - dead_letters.c.created_at
    return [
        *([among(wanted.keys)] if wanted.keys else []),
        *([dead_letters.c.topic == wanted.topic] if wanted.topic else []),
        *([dead_letters.c.batch == wanted.batch] if wanted.batch else []),
        *([dead_letters.c.reason.contains(wanted.reason, autoescape=True)] if wanted.reason else []),
        *([] if wanted.exact_reason is None else [dead_letters.c.reason == wanted.exact_reason]),
        *([dead_letters.c.created_at >= wanted.since] if wanted.since else []),
        *([dead_letters.c.created_at <= wanted.until] if wanted.until else []),
        *([dead_letters.c.replayed_at.is_(None)] if wanted.unreplayed else []),
        *([age > wanted.older] if wanted.older else []),
        *([age < wanted.newer] if wanted.newer else []),
    ]


def _letter(row: Mapping[Any, Any]) -> Letter:
    same = {name: row[name] for name in ("reason", "batch", "item", "size", "created_at", "replayed_at")}
    return Letter(
        Key(row["topic"], row["partition"], row["offset"]),
        **same,
        known=row["bit"] is not None,
        answered=row["bit"] == 1,
        entry=row["error"] or ({"profile_id": row["profile"]} if row["profile"] else None),
    )
