"""What the hooks' room talks about: hooks, events, batches, and where a hook stands."""

from collections.abc import Iterable
from dataclasses import dataclass
from datetime import datetime
from typing import NamedTuple


class Event(NamedTuple):
    """A record of the topic that can be read; `value` is how it stands there."""

    offset: int
    account: int
    type: str
    value: bytes


@dataclass(frozen=True)
class Hook:
    """A hook as it is declared now; `turn` counts what operators did to it."""

    id: int
    account: int
    name: str
    url: str
    secrets: tuple[str, ...]
    # None: all.
    events: frozenset[str] | None
    batch: int
    timeout: int
    success: str
    since: datetime
    turn: int


class Bounds(NamedTuple):
    """A batch as it is noted before it is sent: its first and last offset, and the types of events that it was chosen by."""

    first: int
    last: int
    types: frozenset[str] | None


@dataclass
class Place:
    """Where a hook stands in a partition, and the fence under which this process may say so."""

    hook: int
    partition: int
    fence: int
    # The offset that comes next.
    position: int
    bounds: Bounds | None = None
    # POSTs that failed in a row.
    attempts: int = 0
    # Seconds since the last answer, when it was taken over.
    quiet: float = 0.0
    # Whether it waits for its account's next event, having looked at all that the partition's window has.
    is_at_end: bool = False

    @property
    def key(self) -> tuple[int, int]:
        return self.hook, self.partition


class Stretch(NamedTuple):
    """An account's events from an offset on, and where the next ones come."""

    events: Iterable[Event]
    end: int


@dataclass(frozen=True)
class Batch:
    """What one POST brings."""

    bounds: Bounds
    count: int
    body: bytes
