"""What is read at once: bounded in messages, in bytes, and in the items that messages name."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence
from typing import Any, Generic

from aiokafka import TopicPartition
from aiokafka.errors import OffsetOutOfRangeError

from schemas.settings import Settings
from schemas.topics import M, Topic
from workers.exactly_once.chunks import Capacity, Entry, Record, decoded, size_of
from workers.exactly_once.ownership import ANEW, Ownership

OUT_OF_RANGE = f"the position is out of the topic's range: {ANEW}"
NEWER = "the next message is of a newer version; upgrade this worker first"

# Seconds that are waited for a record.
POLL = 0.5
# Seconds beyond that, after which the loop turns all the same.
WAITING = 5.0
# Records that may be read before their bytes are counted.
STEP = 128


class Reading(Generic[M]):
    """Takes chunks off a consumer; what is read and not taken is read again."""

    def __init__(self, settings: Settings, topic: Topic[M], consumer: Any) -> None:
        self._settings = settings
        self._topic = settings.topic(topic.name)
        self._message = topic.message
        self._consumer = consumer
        # Of the records read last, in bytes.
        self._mean = 1.0

    async def chunk(self, owned: Ownership, limit: int, of: Iterable[int]) -> list[Entry[M]]:
        """At most `limit` messages, of these partitions, or of any; none when there are none, or all is paused.

        Raises `TopicChanged`, and what the broker raises.
        """
        chunk: list[Entry[M]] = []
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
        return chunk

    async def _read(self, owned: Ownership, limit: int, of: Sequence[TopicPartition]) -> Mapping[TopicPartition, Sequence[Record]]:
        """Called also while all is paused, or the broker takes the partitions away."""
        read: dict[TopicPartition, list[Record]] = defaultdict(list)
        count, size, wait = 0, 0, POLL
        while count < limit and size < self._settings.chunk_bytes:
            returned = await self._some(owned, wait, min(limit - count, self._step()), of)
            if not returned:
                break
            for partition, records in returned.items():
                read[partition] += records
                count += len(records)
                size += sum(map(size_of, records))
            self._mean = max(1.0, size / count)
            wait = 0.0
        return read

    async def _some(
        self, owned: Ownership, wait: float, most: int, of: Sequence[TopicPartition]
    ) -> Mapping[TopicPartition, Sequence[Record]]:
        try:
            # While the broker gives partitions away the client would wait for the end of that, even if there is none.
            async with asyncio.timeout(wait + WAITING):
                some: Mapping[TopicPartition, Sequence[Record]] = await self._consumer.getmany(
                    *of, timeout_ms=int(wait * 1000), max_records=most
                )
        except TimeoutError:
            return {}
        except OffsetOutOfRangeError as error:
            owned.hold(error.args[0], OUT_OF_RANGE)
            return {}
        return some

    def _step(self) -> int:
        # So that large records exceed the bytes by little: to read again is to fetch again.
        return max(1, min(STEP, int(self._settings.chunk_bytes / self._mean / 8)))
