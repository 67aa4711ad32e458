"""Pure: which of the records that the broker returned may be processed, and what they say."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from itertools import chain, groupby
from typing import Any, Generic, Protocol
from zlib import crc32

from schemas.ids import parse_id
from schemas.messages import NewerVersion
from schemas.topics import M
from workers.exactly_once.handler import Dead
from workers.exactly_once.trouble import Culprit, unit_of_work


class Record(Protocol):
    """A record as the broker's client returns it."""

    topic: str
    partition: int
    offset: int
    timestamp: int
    key: bytes | None
    value: bytes | None
    headers: Sequence[tuple[str, bytes | None]]


class Gap(Exception):
    """Records between the position and the first one returned are missing."""


@dataclass(slots=True)
class Entry(Generic[M]):
    """A record and what it says, or why it will never be processed."""

    record: Record
    message: M | None
    reason: str | None = None
    # What the room made of it before the transaction.
    prepared: Any = None

    def buried(self, reason: str) -> "Entry[M]":
        return Entry(self.record, None, reason)

    def dead(self) -> Dead:
        record = self.record
        batch, item = origin(record.headers)
        return Dead(record.topic, record.partition, record.offset, self.reason or "", batch, item)


def fingerprint(record: Record) -> str:
    """What tells a record from another one at the same offset of a topic that was made anew."""
    return f"{record.timestamp}:{crc32(record.key or b''):08x}:{crc32(record.value or b''):08x}"


def following(records: Sequence[Record], position: int) -> list[Record]:
    """The records from the position on, without any behind a hole; raises `Gap` if the first is missing."""
    ahead = [record for record in records if record.offset >= position]
    if ahead and ahead[0].offset > position:
        raise Gap
    return [record for expected, record in enumerate(ahead, position) if record.offset == expected]


def size_of(record: Record) -> int:
    """In bytes; what is decoded of it takes some times that."""
    return len(record.value or b"") + len(record.key or b"")


@dataclass
class Capacity:
    """What a chunk may still hold; the last record may exceed it."""

    messages: int
    size: int
    items: int

    @property
    def full(self) -> bool:
        return min(self.messages, self.size, self.items) <= 0

    def take(self, entry: Entry[M]) -> None:
        self.messages -= 1
        self.size -= size_of(entry.record)
        self.items -= 1 if entry.message is None else entry.message.weight


def decoded(message: type[M], records: Iterable[Record], capacity: Capacity) -> tuple[list[Entry[M]], bool]:
    """What one partition's records say while there is room, and whether one of a newer version stopped the reading."""
    entries: list[Entry[M]] = []
    for record in records:
        if capacity.full:
            break
        try:
            entry = _entry(message, record)
        except NewerVersion:
            return entries, True
        capacity.take(entry)
        entries.append(entry)
    return entries, False


def _entry(message: type[M], record: Record) -> Entry[M]:
    try:
        with unit_of_work:
            return Entry(record, message.decode(record.value))
    except Culprit as error:
        return Entry(record, None, str(error))


def by_partition(chunk: Iterable[Entry[M]]) -> Iterator[tuple[int, list[Entry[M]]]]:
    """A chunk holds each partition's entries side by side, in order."""
    for partition, entries in groupby(chunk, key=lambda entry: entry.record.partition):
        yield partition, list(entries)


def halves(chunk: Sequence[Entry[M]]) -> tuple[list[Entry[M]], list[Entry[M]]]:
    """Cut between partitions while there are several, then between offsets."""
    partitions = [entries for _, entries in by_partition(chunk)]
    if len(partitions) == 1:
        middle = len(chunk) // 2
        return list(chunk[:middle]), list(chunk[middle:])
    middle = len(partitions) // 2
    return list(chain(*partitions[:middle])), list(chain(*partitions[middle:]))


def origin(headers: Sequence[tuple[str, bytes | None]]) -> tuple[bytes | None, int | None]:
    """Batch and item that the headers name."""
    # The broker lets a header have no value.
    named = {name: value or b"" for name, value in headers}
    batch, number = parse_id(named.get("batch", b"").decode(errors="replace")), named.get("item")
    if batch is None or number is None:
        return batch, None
    # A column of the table holds it.
    return (batch, int(number)) if number.isdigit() and len(number) < 10 else (None, None)
