"""What is on its way to the broker; knows nothing of it."""

import asyncio
import time
from collections import deque
from collections.abc import Iterable, Iterator

from ingest.publish.record import Record

# Records by the partition that their keys belong to.
Placed = dict[int, list[Record]]


class Delivery:
    """The records of one request on their way; `confirmed` is set when the broker has them all, `noted` when the batch's row says so."""

    def __init__(self, count: int) -> None:
        self._missing = count
        self.confirmed = asyncio.Event()
        self.noted = asyncio.Event()
        self.confirm(0)

    @classmethod
    def noted_before(cls) -> "Delivery":
        """Of a request whose records the broker had long ago."""
        delivery = cls(0)
        delivery.noted.set()
        return delivery

    def confirm(self, count: int = 1) -> None:
        self._missing -= count
        if self._missing == 0:
            self.confirmed.set()


class PartitionQueue:
    """The records of one partition in their order, of many requests."""

    def __init__(self) -> None:
        self._records: deque[tuple[Record, Delivery]] = deque()
        self.filled = asyncio.Event()
        # When the oldest record came, or the last batch was confirmed.
        self._waiting_since = 0.0

    def add(self, records: Iterable[Record], delivery: Delivery) -> None:
        if not self._records:
            self._waiting_since = time.monotonic()
        self._records.extend((record, delivery) for record in records)
        self.filled.set()

    def __len__(self) -> int:
        return len(self._records)

    def unconfirmed_for(self) -> float:
        return time.monotonic() - self._waiting_since if self._records else 0.0

    def records(self) -> Iterator[Record]:
        """The oldest first; they stay until `confirm`."""
        return (record for record, _ in self._records)

    def confirm(self, count: int) -> None:
        for _ in range(count):
            _, delivery = self._records.popleft()
            delivery.confirm()
        self._waiting_since = time.monotonic()
        if not self._records:
            self.filled.clear()
