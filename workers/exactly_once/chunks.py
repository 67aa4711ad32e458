"""Pure: which of the records that the broker returned may be processed, and what they say."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from itertools import chain, groupby
from typing import Generic, Protocol
from zlib import crc32

from schemas.ids import parse_id
from schemas.messages import NewerVersion, Unreadable
from schemas.topics import M
from workers.exactly_once.room import Dead


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


@dataclass(frozen=True)
class Entry(Generic[M]):
    """A record and what it says, or why it will never be processed."""

    record: Record
    message: M | None
    reason: str | None = None

    def buried(self, reason: str) -> "Entry[M]":
        return replace(self, message=None, reason=reason)

    def dead(self) -> Dead:
        record = self.record
        batch, item = _origin(record.headers)
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


def decoded(message: type[M], records: Iterable[Record]) -> tuple[list[Entry[M]], bool]:
    """What one partition's records say, and whether one of a newer version stopped the reading."""
    entries: list[Entry[M]] = []
    for record in records:
        try:
            entries.append(Entry(record, message.decode(record.value)))
        except Unreadable as error:
            entries.append(Entry(record, None, f"unreadable: {error}"))
        except NewerVersion:
            return entries, True
    return entries, False


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


def _origin(headers: Sequence[tuple[str, bytes | None]]) -> tuple[bytes | None, int | None]:
    """Batch and item that the headers name."""
    # The broker lets a header have no value.
    named = {name: value or b"" for name, value in headers}
    batch, number = parse_id(named.get("batch", b"").decode(errors="replace")), named.get("item")
    if batch is None or number is None:
        return batch, None
    # A column of the table holds it.
    return (batch, int(number)) if number.isdigit() and len(number) < 10 else (None, None)
