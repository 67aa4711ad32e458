"""Accepted batches that wait to be published: in slices, tokens taking turns."""

import asyncio
import time
from collections import defaultdict, deque
from collections.abc import Sequence
from dataclasses import dataclass

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


class FairQueue:
    """What waits, by token: the tokens take turns, and so do a token's batches, so that a small one does not wait for a large one."""

    def __init__(self) -> None:
        self._tokens: dict[int, deque[Load]] = {}
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
            self._tokens.setdefault(token, deque()).append(Load(records, delivery))
            self.waiting.add(token, len(records))
            self.filled.set()

    def take(self) -> tuple[Placed, Delivery]:
        """The next slice; its token goes to the end of the line, and its batch to the end of its token's."""
        token, loads = next(iter(self._tokens.items()))
        del self._tokens[token]
        load = loads.popleft()
        part = load.records[load.gone : load.gone + _SLICE]
        load.gone += len(part)
        if load.gone < len(load.records):
            loads.append(load)
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
