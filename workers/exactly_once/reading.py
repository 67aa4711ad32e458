"""What is read at once: bounded in messages, in bytes, and in the items that messages name."""

import math
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Generic

from aiokafka import TopicPartition
from aiokafka.errors import OffsetOutOfRangeError

from runtime import kafka
from runtime.wakeup import Wakeup
from schemas.settings import Settings
from schemas.topics import M, Topic
from workers.exactly_once.changed_topics import OUT_OF_RANGE
from workers.exactly_once.chunks import Capacity, Entry, Record, decoded, size_of
from workers.exactly_once.ownership import Ownership

NEWER = "the next message is of a newer version; upgrade this worker first"

# Seconds that are waited for a record, if nothing else happens.
POLL = 0.5
# Records that may be read before their bytes are counted.
STEP = 128


class Reading(Generic[M]):
    """Takes chunks off a consumer; what is read and not taken is read again."""

    def __init__(self, settings: Settings, topic: Topic[M], consumer: Any, wakeup: Wakeup) -> None:
        self._settings = settings
        self._topic = settings.topic(topic.name)
        self._message = topic.message
        self._consumer = consumer
        self._wakeup = wakeup
        # Of the records read last, in bytes; of those taken last, in the items that they name.
        self._mean = 1.0
        self._weight = 1.0
        # Which partition came first in the last chunk, by its place among those that were behind.
        self._first = 0

    async def chunk(self, owned: Ownership, limit: int, of: Iterable[int]) -> list[Entry[M]]:
        """At most `limit` messages, of these partitions, or of any; none when there are none, or all is paused.

        Raises `TopicChanged`, and what the broker raises.
        """
        chunk: list[Entry[M]] = []
        # What is read beyond would be read again, and fetched again for that.
        limit = min(limit, math.ceil(self._settings.chunk_items / self._weight))
        capacity = Capacity(limit, self._settings.chunk_bytes, self._settings.chunk_items)
        for partition, records in owned.ahead(
            await self._read(owned, limit, [TopicPartition(self._topic, number) for number in of])
        ).items():
            entries, newer = decoded(self._message, records, capacity)
            if newer:
                owned.hold([partition], NEWER)
            elif len(entries) < len(records):
                owned.read_again(partition, records[len(entries)].offset)
            chunk += entries
        if chunk:
            self._weight = max(1.0, (self._settings.chunk_items - capacity.items) / len(chunk))
        return chunk

    async def _read(self, owned: Ownership, limit: int, of: Sequence[TopicPartition]) -> Mapping[TopicPartition, Sequence[Record]]:
        """Called also while all is paused, or the broker takes the partitions away."""
        read = _Read(limit, self._settings.chunk_bytes)
        behind = self._in_turns(owned, limit, of)
        share = max(1, int(self._room(limit) / max(1, len(behind))))
        for partition in behind:
            # One that was taken away meanwhile is not waited for.
            if not read.full and partition in owned.positions:
                self._take(read, await self._some(owned, 0.0, min(share, self._step()), [partition]))
        wait = 0.0 if read.count else POLL
        while not read.full:
            returned = await self._some(owned, wait, min(read.room, self._step()), of)
            if not returned:
                break
            self._take(read, returned)
            wait = 0.0
        return read.records

    def _in_turns(self, owned: Ownership, limit: int, of: Sequence[TopicPartition]) -> list[TopicPartition]:
        """The partitions that are behind by more than one chunk, another one first each time; none if all of it fits into one.

        The client comes to a partition when it has emptied another, which may take a hundred chunks.
        """
        if owned.lag() <= self._room(limit):
            return []
        behind = sorted(TopicPartition(self._topic, number) for number in owned.lagging())
        behind = [partition for partition in behind if not of or partition in of]
        self._first = (self._first + 1) % max(1, len(behind))
        return behind[self._first :] + behind[: self._first]

    def _room(self, limit: int) -> float:
        """Records that a chunk has room for, if they are as large as the last ones."""
        return min(limit, self._settings.chunk_bytes / self._mean)

    def _take(self, read: "_Read", returned: Mapping[TopicPartition, Sequence[Record]]) -> None:
        for partition, records in returned.items():
            read.add(partition, records)
        if read.count:
            self._mean = max(1.0, read.size / read.count)

    async def _some(
        self, owned: Ownership, wait: float, most: int, of: Sequence[TopicPartition]
    ) -> Mapping[TopicPartition, Sequence[Record]]:
        try:
            return await kafka.read(self._consumer, wait, most, self._wakeup, of)
        except OffsetOutOfRangeError as error:
            owned.hold(error.args[0], OUT_OF_RANGE)
            return {}

    def _step(self) -> int:
        # So that large records exceed the bytes by little: to read again is to fetch again.
        return max(1, min(STEP, int(self._settings.chunk_bytes / self._mean / 8)))


class _Read:
    """What is read for a chunk, until it is as much as that may hold; the last record may exceed the bytes."""

    def __init__(self, limit: int, size: int) -> None:
        self._limit = limit
        self._most = size
        self.records: dict[TopicPartition, list[Record]] = defaultdict(list)
        self.count = 0
        self.size = 0

    @property
    def room(self) -> int:
        return self._limit - self.count

    @property
    def full(self) -> bool:
        return self.room <= 0 or self.size >= self._most

    def add(self, partition: TopicPartition, records: Sequence[Record]) -> None:
        self.records[partition] += records
        self.count += len(records)
        self.size += sum(map(size_of, records))
