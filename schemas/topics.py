"""Each topic in one value: its name, its message and what its order is kept by."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import timedelta
from typing import Any, Generic, TypeVar
from zlib import crc32

import msgspec

from schemas.events import ProfileEvent
from schemas.messages import DeadLetter, Message, ProfileImport, ProfilesMatched

M = TypeVar("M", bound=Message)


@dataclass(frozen=True)
class Topic(Generic[M]):
    """A topic; its name on the broker is `Settings.topic(name)`."""

    name: str
    message: type[M]
    key: str
    # Records are kept until a worker has processed them, however long that takes.
    kept_until_processed: bool
    # Or for as long as this setting says; else as the broker does.
    kept_for: str = ""


IMPORTS = Topic("imports", ProfileImport, "database, kind of address and normalised match value", kept_until_processed=True)
MATCHES = Topic("matches", ProfilesMatched, "batch", kept_until_processed=True)
EVENTS = Topic("events", ProfileEvent, "profile id", kept_until_processed=False, kept_for="events_kept")
DEAD_LETTERS = Topic("dead-letters", DeadLetter, "the original message's key", kept_until_processed=False)

ALL = (IMPORTS, MATCHES, EVENTS, DEAD_LETTERS)


# What a topic must be set to, or the broker deletes or overwrites what nobody has processed.
_SAFE = {"cleanup.policy": "delete", "unclean.leader.election.enable": "false"}
_FOR_EVER = {"retention.ms": "-1", "retention.bytes": "-1"}
# The broker's own default; of a topic that takes less the next batch that is larger is refused, however often it is sent.
_LARGEST = 1_048_588
# What of that is a key and a value: the rest is for headers, and for what Kafka adds.
LARGEST_RECORD = 1_000 * 1024
# Fewer copies are for one machine: a disk that dies takes what was acknowledged along.
COPIES = 3


def safe_settings(topic: Topic[Any], copies: int, kept: timedelta | None = None) -> dict[str, str]:
    """By name; `kept` is what the topic's own setting says.

    `min.insync.replicas` is the least that is safe: `acks=all` waits for the replicas that are in sync, which may be one.
    """
    retained = _FOR_EVER if topic.kept_until_processed or kept else {}
    for_a_time = {"retention.ms": str(int(kept.total_seconds() * 1000))} if kept else {}
    return {**_SAFE, **retained, **for_a_time, "min.insync.replicas": str(max(1, min(2, copies - 1)))}


def faults(topic: Topic[Any], found: Mapping[str, str], copies: int, kept: timedelta | None = None) -> list[str]:
    """Settings that would lose or refuse records, as what to set them to; what the broker does not show is not judged."""
    wanted = safe_settings(topic, copies, kept)
    least = int(wanted.pop("min.insync.replicas"))
    wrong = {name: value for name, value in wanted.items() if _is_less(found.get(name, value), value)}
    if not least <= int(found.get("min.insync.replicas", least)) <= copies:
        wrong["min.insync.replicas"] = str(least)
    if int(found.get("max.message.bytes", _LARGEST)) < _LARGEST:
        wrong["max.message.bytes"] = str(_LARGEST)
    return [f"{name} is {found[name]}, set it to {value}" for name, value in wrong.items()]


def _is_less(found: str, wanted: str) -> bool:
    """Whether it is another one; of how long records are kept, a shorter one."""
    if found.isdigit() and wanted.isdigit():
        return int(found) < int(wanted)
    return found not in (wanted, "-1")


@dataclass(frozen=True)
class Outgoing:
    """A record on its way to a topic, named as the broker knows it."""

    topic: str
    key: bytes
    value: bytes
    headers: tuple[tuple[str, bytes], ...] = ()


def pack(outbox: Sequence[Outgoing]) -> bytes | None:
    """As a row keeps what may not be published yet; None where there is nothing."""
    return msgspec.msgpack.encode(outbox) if outbox else None


def unpack(packed: bytes | None) -> list[Outgoing]:
    return msgspec.msgpack.decode(packed, type=list[Outgoing]) if packed else []


def partition(key: bytes, count: int) -> int:
    """Where a key's records are kept in order; librdkafka's own choice, for a hundredth of what murmur2 costs in Python."""
    return crc32(key) % count


def item_headers(batch: bytes, item: int) -> tuple[tuple[str, bytes], ...]:
    """Batch and item number in a form that never changes, so that even an unreadable value fails its own item.

    A message for the launcher names its chunk as its item.
    """
    return (("batch", batch.hex().encode()), ("item", b"%d" % item))
