"""Accepted batches that wait to be published: in slices, tokens taking turns."""

import asyncio
import time
from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass, field

from ingest.admission.tally import Tally
from ingest.publish.partition_queue import Delivery, Placed
from ingest.publish.record import Record

# A partition's number and what is to be written there, in the order of the items.
Records = Sequence[tuple[int, Record]]

_SLICE = 500
# Seconds after which a token that brought nothing more is nobody's neighbour.
_LATELY = 5.0


@dataclass
class Load:
    """The records of one batch, and how many of them have gone."""

    records: Records
    delivery: Delivery
    gone: int = 0


@dataclass
class Loads:
    """What one token brought; those of one slice and those of several take turns, and so do the large ones among themselves."""

    _small: deque[Load] = field(default_factory=deque)
    _large: deque[Load] = field(default_factory=deque)
    _small_next: bool = False

    def __bool__(self) -> bool:
        return bool(self._small or self._large)

    def add(self, load: Load) -> None:
        (self._small if len(load.records) <= _SLICE else self._large).append(load)

    def take(self) -> Load:
        small = bool(self._small) and (self._small_next or not self._large)
        self._small_next = not small
        return (self._small if small else self._large).popleft()


class FairQueue:
    """What waits, by token: the tokens take turns, and so do a token's batches, so that a small one does not wait for large ones."""

    def __init__(self) -> None:
        self._tokens: dict[int, Loads] = {}
        # When each token brought something last.
        self._brought: dict[int, float] = {}
        self.waiting = Tally()
        self.filled = asyncio.Event()

    @property
    def pending(self) -> int:
        return self.waiting.total

    @property
    def shared(self) -> bool:
        """Whether several tokens bring something these days."""
        oldest = time.monotonic() - _LATELY
        self._brought = {token: at for token, at in self._brought.items() if at > oldest}
        return len(self._brought) > 1

    def add(self, token: int, records: Records, delivery: Delivery) -> None:
        if records:
            self._brought[token] = time.monotonic()
            self._tokens.setdefault(token, Loads()).add(Load(records, delivery))
            self.waiting.add(token, len(records))
            self.filled.set()

    def take(self) -> tuple[Placed, Delivery]:
        """The next slice; its token goes to the end of the line, and its batch to the end of those of its token that are as large."""
        token, loads = next(iter(self._tokens.items()))
        del self._tokens[token]
        load = loads.take()
        part = load.records[load.gone : load.gone + _SLICE]
        load.gone += len(part)
        if load.gone < len(load.records):
            loads.add(load)
        if loads:
            self._tokens[token] = loads
        self.waiting.add(token, -len(part))
        if not self._tokens:
            self.filled.clear()
        return _placed(part), load.delivery


def _placed(records: Records) -> Placed:
    placed: Placed = defaultdict(list)
    for partition, record in records:
        placed[partition].append(record)
    return placed
