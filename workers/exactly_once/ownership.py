"""Which partitions are ours, and where each of them stands."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import asyncpg
import structlog
from aiokafka import ConsumerRebalanceListener, TopicPartition

from runtime.crash_points import crash_point
from runtime.producer import Publisher
from runtime.wakeup import Wakeup
from schemas.ids import new_id
from schemas.topics import M
from workers.exactly_once import progress
from workers.exactly_once.changed_topics import other_partitions, other_records
from workers.exactly_once.chunks import Entry, Gap, Record, by_partition, fingerprint, following

log = structlog.get_logger()


class Ownership(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """What the loop believes of its partitions.

    The broker's client calls the two listening methods between any two awaits of the loop: whoever awaits must look again.
    """

    def __init__(self, topic: str, consumer: Any, pool: asyncpg.Pool, publisher: Publisher, wakeup: Wakeup) -> None:
        self._topic = topic
        self._consumer = consumer
        self._pool = pool
        self._publisher = publisher
        self._wakeup = wakeup
        # Whether the broker has said which are ours, be it none, since it last took all away.
        self.assigned = False
        # Assigned, but not ours before `take_over` has read where they stand.
        self.waiting: set[TopicPartition] = set()
        # Ours: the offset that comes next.
        self.positions: dict[TopicPartition, int] = {}
        # How many processes ended while they tried a partition's next record alone.
        self.deaths: dict[int, int] = {}
        # How often an operator had moved a partition's position when it was taken over.
        self._fences: dict[int, int] = {}
        # By this name the rows say whose they are.
        self._holder = new_id().hex()
        # Stopped on purpose, and why.
        self.held: dict[TopicPartition, str] = {}
        # What the record before the position must look like, until it was seen.
        self._expected: dict[TopicPartition, str] = {}

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        # Only this: a slow listener stops heartbeats, and what it raises is swallowed.
        for partition in assigned:
            self._consumer.pause(partition)
            # Without a position `getmany` fails at once, paused or not.
            self._consumer.seek(partition, 0)
        self.waiting = set(assigned)
        self.assigned = True
        self._wakeup.ring()

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        # Nothing to wait for: whoever commits after this loses the comparison of positions.
        self.assigned = False
        self.waiting.clear()
        self.positions.clear()
        self.held.clear()
        self._expected.clear()

    async def take_over(self) -> set[int]:
        """The one way to gain a partition, first or again; which of them were left behind. Raises `TopicChanged`.

        Its outbox is published before anything else: the next commit overwrites it.
        """
        taken = set(self.waiting)
        left = await progress.hold(self._pool, self._topic, [partition.partition for partition in taken], self._holder)
        rows = await progress.load(self._pool, self._topic)
        if (found := len(self._consumer.partitions_for_topic(self._topic) or ())) != len(rows):
            raise other_partitions(self._topic, found, len(rows))
        crash_point("stream:loaded")
        await self._publisher.publish([record for partition in taken for record in rows[partition.partition].outbox])
        crash_point("stream:outbox_published")
        # A rebalance may have come in between; what it brought has an outbox of its own.
        for partition in taken & self.waiting & self._consumer.assignment():
            self._own(partition, rows[partition.partition])
        self.waiting -= taken
        log.info("taken_over", topic=self._topic, partitions=sorted(partition.partition for partition in taken), left_behind=sorted(left))
        return left

    async def let_go(self) -> None:
        """This process ends, and no message is to blame for it."""
        await progress.let_go(self._pool, self._topic, self._holder)

    async def mark(self, record: Record) -> None:
        """This record is tried alone now, and may be the end of this process."""
        await progress.mark(self._pool, record, self._holder)

    def lagging(self) -> set[int]:
        """Ours that have more than is processed, or perhaps; what comes to the others later was there for nobody who ended."""
        return {partition.partition for partition, end in self._ends().items() if end is None or self.positions[partition] < end}

    def lag(self) -> int:
        """How many of our messages are not processed, as far as the broker has told."""
        return sum(max(end - self.positions[partition], 0) for partition, end in self._ends().items() if end is not None)

    def _ends(self) -> dict[TopicPartition, int | None]:
        # Of a partition that was given to another before we are told the client knows nothing.
        ours = self.positions.keys() & self._consumer.assignment()
        return {partition: self._consumer.highwater(partition) for partition in ours}

    def _own(self, partition: TopicPartition, row: progress.Position) -> None:
        self.positions[partition] = row.offset
        self.deaths[partition.partition] = row.deaths
        self._fences[partition.partition] = row.fence
        if row.fingerprint is None:
            # Nothing was processed yet, or an operator says where to go on.
            self._consumer.seek(partition, row.offset)
        else:
            # From one before the position, to see that the record processed last is still the same.
            self._consumer.seek(partition, row.offset - 1)
            self._expected[partition] = row.fingerprint
        self._consumer.resume(partition)

    def ahead(self, returned: Mapping[TopicPartition, Sequence[Record]]) -> dict[TopicPartition, list[Record]]:
        """Of what the broker returned, the records that come next, without a hole. Raises `TopicChanged`."""
        # Records may still come of a partition that is paused or no longer ours.
        ours = {partition: records for partition, records in returned.items() if partition in self.positions}
        return {partition: self._ahead(partition, records) for partition, records in ours.items()}

    def _ahead(self, partition: TopicPartition, records: Sequence[Record]) -> list[Record]:
        position = self.positions[partition]
        self._verify(partition, records)
        try:
            return following(records, position)
        except Gap:
            log.warning("gap", topic=self._topic, partition=partition.partition, position=position)
            self._consumer.seek(partition, position)
            return []

    def read_again(self, partition: TopicPartition, offset: int) -> None:
        """The record at this offset was read, and not taken."""
        # Not if it was revoked meanwhile.
        if partition in self.positions:
            self._consumer.seek(partition, offset)

    def _verify(self, partition: TopicPartition, records: Sequence[Record]) -> None:
        if partition in self._expected and records:
            expected, first = self._expected.pop(partition), records[0]
            if fingerprint(first) != expected:
                raise other_records(self._topic, partition.partition)

    def stand(self, partition: int, offset: int) -> progress.Stand:
        """What the row must say, so that a chunk that begins at this offset may move it."""
        return offset, self._fences.get(partition, 0)

    def advance(self, chunk: Sequence[Entry[M]]) -> None:
        """The chunk is behind us."""
        for number, entries in by_partition(chunk):
            partition = TopicPartition(self._topic, number)
            # Not if it was revoked meanwhile: its next owner, us perhaps, reads the row.
            if partition in self.positions:
                self.positions[partition] = entries[-1].record.offset + 1
                self.deaths.pop(number, None)

    def standing(self) -> dict[TopicPartition, int]:
        """Where the partitions stand that should move: ours, or all while the broker does not say which are ours."""
        if not self.assigned:
            return {TopicPartition(self._topic, number): -1 for number in self._consumer.partitions_for_topic(self._topic) or ()}
        should = {**dict.fromkeys(self.waiting, -1), **self.positions}
        return {partition: at for partition, at in should.items() if partition not in self.held}

    def release(self, numbers: Iterable[int]) -> None:
        """Give up what we believe of these partitions; they are taken over again if they are still ours."""
        for partition in {TopicPartition(self._topic, number) for number in numbers} & self._consumer.assignment():
            self._consumer.pause(partition)
            self.positions.pop(partition, None)
            self._expected.pop(partition, None)
            self.waiting.add(partition)

    def release_all(self) -> None:
        # What is held on purpose will be held again.
        self.held.clear()
        self.release([partition.partition for partition in self._consumer.assignment()])

    def hold(self, partitions: Iterable[TopicPartition], reason: str) -> None:
        """Stop these partitions where they are, until this process is replaced."""
        for partition in partitions:
            log.error("partition_held", topic=partition.topic, partition=partition.partition, why=reason)
            self._consumer.pause(partition)
            self.held[partition] = reason
