"""The loop of a worker: take partitions over, read, commit effects and position together, publish."""

import asyncio
import time
from collections.abc import Iterable, Sequence
from contextlib import suppress
from typing import Any, Generic

import asyncpg
import structlog
from aiokafka import AIOKafkaConsumer, ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import KafkaError, OffsetOutOfRangeError
from tenacity import AsyncRetrying, retry_if_exception_type, stop_after_attempt, wait_random

from schemas import metrics
from schemas.crashes import crash_point
from schemas.settings import Settings
from schemas.topics import DEAD_LETTERS, M
from workers.exactly_once import dead_letters, progress
from workers.exactly_once.chunks import Entry, Gap, Record, by_partition, decoded, fingerprint, following
from workers.exactly_once.line import LineStopped
from workers.exactly_once.liveness import watch
from workers.exactly_once.processing import REFUSED, process
from workers.exactly_once.room import Room, Surprise
from workers.kafka import BrokerUnavailable, Publisher, new_consumer, stop_client
from workers.postgres import AWAY

log = structlog.get_logger()

# Raised again by the same data in the same state; another transaction may well see another state.
AGAIN = (Surprise, asyncpg.DeadlockDetectedError, asyncpg.SerializationError, asyncpg.IntegrityConstraintViolationError)
# The world is away, or the code is broken: everything is let go, and taken over again after a pause.
WORLD = (Surprise, LineStopped, BrokerUnavailable, KafkaError, *AWAY)

FIX = "Nothing was set aside. Deploy a fix, or the version before: the messages are tried again until they pass."

POLL = 0.2
LONGEST_PAUSE = 5.0
HINT_EVERY = 5.0
STUCK = 60.0
# Less than whoever asks at the health port waits.
ANSWERING = 0.9


class TopicChanged(Exception):
    """The topic is not the one that the positions were taken from: made anew, truncated, or with other partitions."""


class Stream(ConsumerRebalanceListener, Generic[M]):  # type: ignore[misc]  # aiokafka has no types
    """One worker's exactly-once reading of its room's topic."""

    def __init__(self, settings: Settings, group: str, room: Room[M], pool: asyncpg.Pool, publisher: Publisher) -> None:
        self._settings = settings
        self._group = group
        self._room = room
        self._pool = pool
        self._publisher = publisher
        self._topic = settings.topic(room.topic.name)
        self._notices = settings.topic(DEAD_LETTERS.name)
        self._consumer: Any = None
        # Assigned, but not ours before `_take_over` has read where they stand.
        self._waiting: set[TopicPartition] = set()
        # Ours: the offset that comes next.
        self._positions: dict[TopicPartition, int] = {}
        # What the record before that offset must look like, until it was seen.
        self._expected: dict[TopicPartition, str | None] = {}
        self._held: dict[TopicPartition, str] = {}
        self._trouble = "has not joined its consumer group yet"
        self._on_purpose = False
        self._pause = POLL
        self._again_at = 0.0
        self._limit = settings.chunk
        self._turned = time.monotonic()
        self._hinted = 0.0
        self._hinting: asyncio.Task[None] | None = None

    def alive(self) -> list[str]:
        """Problems with progress: the loop must turn, whatever the world does."""
        still = time.monotonic() - self._turned
        return [f"the loop of {self._topic} has not turned for {still:.0f} s"] if still > STUCK else []

    def problems(self) -> list[str]:
        """What keeps partitions from moving."""
        held = [f"{partition.topic}/{partition.partition}: {reason}" for partition, reason in self._held.items()]
        return held + ([self._trouble] if self._trouble else [])

    async def edges(self) -> list[str]:
        """Problems with broker and database, asked now: a stream without work would not notice."""
        told: list[str] = []
        for name, question in (("Kafka", self._ask_broker), ("Postgres", self._ask_database)):
            try:
                async with asyncio.timeout(ANSWERING):
                    await question()
            except (KafkaError, *AWAY) as error:
                told.append(f"{name} does not answer ({type(error).__name__})")
        return told

    def standing(self) -> dict[tuple[str, int], int]:
        """Where the partitions stand that should move."""
        if self._on_purpose:
            return {}
        should = {**dict.fromkeys(self._waiting, -1), **self._positions}
        return {(each.topic, each.partition): at for each, at in should.items() if each not in self._held}

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set; the chunk at hand is finished. Raises `TopicChanged` and `Stuck`."""
        async with asyncio.TaskGroup() as tasks:
            watching = tasks.create_task(watch(self._settings, self.standing))
            await self._work(stop)
            watching.cancel()

    async def _work(self, stop: asyncio.Event) -> None:
        try:
            while not stop.is_set():
                self._turned = time.monotonic()
                try:
                    await self._turn()
                except OffsetOutOfRangeError as error:
                    self._hold(error.args[0], "the position is out of the topic's range; records were deleted or the topic was made anew")
                except WORLD as error:
                    self._let_go(error)
                    if self._consumer is None:
                        await self._rest(stop)
        finally:
            if self._consumer is not None:
                await stop_client(self._consumer)

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        # Only this: a slow listener stops heartbeats, and what it raises is swallowed.
        for partition in assigned:
            self._consumer.pause(partition)
            # Without a position `getmany` fails at once, paused or not.
            self._consumer.seek(partition, 0)
        self._waiting = set(assigned)

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        # Nothing to wait for: whoever commits after this loses the comparison of positions.
        self._waiting.clear()
        self._positions.clear()
        self._expected.clear()
        self._held.clear()

    async def _turn(self) -> None:
        consumer = await self._joined()
        if self._waiting and time.monotonic() >= self._again_at:
            await self._take_over(consumer)
        # Called also while all is paused, or the broker takes the partitions away.
        returned = await consumer.getmany(timeout_ms=int(POLL * 1000), max_records=self._limit)
        chunk = self._readable(consumer, returned)
        if chunk:
            await self._settle(chunk)
            self._limit = min(self._limit * 2, self._settings.chunk)
            self._pause = POLL
        # Not before the chunk is settled: what stopped it last time may stop it again.
        if not self._waiting:
            self._trouble, self._on_purpose = "", False
        self._hint(consumer)

    async def _ask_broker(self) -> None:
        if self._consumer is not None:
            await self._consumer.topics()

    async def _ask_database(self) -> None:
        await self._pool.fetchval("SELECT 1")

    async def _rest(self, stop: asyncio.Event) -> None:
        with suppress(TimeoutError):
            async with asyncio.timeout(self._pause):
                await stop.wait()

    async def _joined(self) -> AIOKafkaConsumer:
        if self._consumer is None:
            consumer = new_consumer(self._settings, self._group)
            self._consumer = consumer
            consumer.subscribe([self._topic], listener=self)
            try:
                await consumer.start()
            except (KafkaError, OSError):
                self._consumer = None
                await stop_client(consumer)
                raise
            log.info("joined", topic=self._topic)
        return self._consumer

    async def _take_over(self, consumer: AIOKafkaConsumer) -> None:
        """The one way to gain a partition, first or again.

        Its outbox is published before anything else: the next commit overwrites it.
        """
        positions = await progress.load(self._pool, self._topic)
        if (found := len(consumer.partitions_for_topic(self._topic) or ())) != len(positions):
            raise TopicChanged(f"{self._topic} has {found} partitions, its positions are for {len(positions)}: run `profuse migrate`")
        taken = set(self._waiting)
        crash_point("stream:loaded")
        await self._publisher.publish([record for partition in taken for record in positions[partition.partition].outbox])
        crash_point("stream:outbox_published")
        # A rebalance may have come in between; what it brought has an outbox of its own.
        for partition in taken & self._waiting & consumer.assignment():
            position = positions[partition.partition]
            consumer.seek(partition, max(position.offset - 1, 0))
            self._positions[partition] = position.offset
            if position.offset:
                self._expected[partition] = position.fingerprint
            consumer.resume(partition)
        log.info("taken_over", topic=self._topic, partitions=sorted(partition.partition for partition in taken))
        self._waiting -= taken

    def _readable(self, consumer: AIOKafkaConsumer, returned: dict[TopicPartition, list[Record]]) -> list[Entry[M]]:
        chunk: list[Entry[M]] = []
        for partition, records in returned.items():
            # Records may still come of a partition that is paused or no longer ours.
            if partition not in self._positions:
                continue
            self._verify(partition, records)
            try:
                ahead = following(records, self._positions[partition])
            except Gap:
                log.warning("gap", topic=self._topic, partition=partition.partition, position=self._positions[partition])
                consumer.seek(partition, self._positions[partition])
                continue
            entries, newer = decoded(self._room.topic.message, ahead)
            if newer:
                self._hold([partition], "the next message is of a newer version; upgrade this worker first")
            chunk += entries
        return chunk

    def _verify(self, partition: TopicPartition, records: Sequence[Record]) -> None:
        """The last processed record must still be there as it was."""
        if partition in self._expected and records:
            expected, first = self._expected.pop(partition), records[0]
            if first.offset != self._positions[partition] - 1 or fingerprint(first) != expected:
                raise TopicChanged(f"{self._topic}/{partition.partition} does not hold the record processed last: was the topic made anew?")

    async def _settle(self, chunk: Sequence[Entry[M]]) -> None:
        """Commit the chunk; what the database refuses again and again is searched for, and buried alone."""
        try:
            await self._tried(chunk, bisecting=False)
        except REFUSED:
            await self._tried(chunk, bisecting=True)

    async def _tried(self, chunk: Sequence[Entry[M]], *, bisecting: bool) -> None:
        attempts = AsyncRetrying(retry=retry_if_exception_type(AGAIN), stop=stop_after_attempt(3), wait=wait_random(0, 0.05), reraise=True)
        async for attempt in attempts:
            with attempt:
                await self._commit(chunk, bisecting=bisecting)

    async def _commit(self, chunk: Sequence[Entry[M]], *, bisecting: bool) -> None:
        """Effects, dead letters, outbox and positions in one transaction; then publish."""
        began = time.monotonic()
        crash_point("stream:read")
        await self._room.prepare([entry.message for entry in chunk if entry.message is not None])
        crash_point("stream:prepared")
        async with self._pool.acquire() as connection, connection.transaction():
            ours = await self._fenced(connection, chunk)
            crash_point("stream:locked")
            ours, outgoing = await process(connection, self._room, ours, bisecting)
            outgoing += [dead_letters.notice(self._notices, entry) for entry in ours if entry.message is None]
            crash_point("stream:applied")
            if ours:
                await progress.move(connection, self._topic, ours, outgoing)
            crash_point("stream:moved")
        crash_point("stream:committed")
        self._advance(ours)
        await self._publisher.publish(outgoing)
        crash_point("stream:published")
        await self._room.committed([entry.message for entry in ours if entry.message is not None])
        metrics.CHUNK_SECONDS.labels(self._topic).observe(time.monotonic() - began)
        metrics.MESSAGES.labels(self._topic).inc(len(ours))
        log.info("chunk_committed", topic=self._topic, messages=len(ours), ms=round((time.monotonic() - began) * 1000))

    async def _fenced(self, connection: asyncpg.Connection, chunk: Sequence[Entry[M]]) -> list[Entry[M]]:
        """Lock the positions and keep the partitions that stand where this chunk begins; somebody else moved the others."""
        parts = dict(by_partition(chunk))
        positions = await progress.lock(connection, self._topic, list(parts))
        moved = [partition for partition, entries in parts.items() if positions.get(partition) != entries[0].record.offset]
        if moved:
            log.warning("partitions_moved", topic=self._topic, partitions=moved)
            self._release([TopicPartition(self._topic, partition) for partition in moved])
        return [entry for partition, entries in parts.items() if partition not in moved for entry in entries]

    def _advance(self, chunk: Sequence[Entry[M]]) -> None:
        for partition, entries in by_partition(chunk):
            owned = TopicPartition(self._topic, partition)
            # Not if it was revoked meanwhile: its next owner, us perhaps, reads the row.
            if owned in self._positions:
                self._positions[owned] = entries[-1].record.offset + 1

    def _release(self, partitions: Iterable[TopicPartition]) -> None:
        """Give up what we believe of these partitions; they are taken over again if they are still ours."""
        for partition in set(partitions) & self._consumer.assignment():
            self._consumer.pause(partition)
            self._positions.pop(partition, None)
            self._expected.pop(partition, None)
            self._waiting.add(partition)

    def _let_go(self, error: Exception) -> None:
        """The world is away, or the outcome of a commit is unknown: start again from the rows, after a pause."""
        self._trouble = _shown(error)
        # A new process would be told the same.
        self._on_purpose = isinstance(error, LineStopped | asyncpg.PostgresError)
        self._pause = min(self._pause * 2, LONGEST_PAUSE)
        self._again_at = time.monotonic() + self._pause
        if isinstance(error, asyncpg.TransactionTimeoutError | asyncpg.QueryCanceledError | TimeoutError):
            self._limit = max(1, self._limit // 2)
        if isinstance(error, LineStopped):
            log.error("line_stopped", topic=self._topic, why=str(error), todo=FIX, seconds=self._pause)
        else:
            log.warning("stream_waits", topic=self._topic, why=self._trouble, seconds=self._pause)
        if self._consumer is not None:
            # What is held on purpose will be held again.
            self._held.clear()
            self._release(self._consumer.assignment())

    def _hold(self, partitions: Iterable[TopicPartition], reason: str) -> None:
        """Stop these partitions where they are, until this process is replaced."""
        for partition in partitions:
            log.error("partition_held", topic=partition.topic, partition=partition.partition, why=reason)
            self._consumer.pause(partition)
            self._held[partition] = reason

    def _hint(self, consumer: AIOKafkaConsumer) -> None:
        """Show lag tools where we are; nothing depends on it, and nobody waits for it."""
        if time.monotonic() - self._hinted < HINT_EVERY or not self._positions or not (self._hinting is None or self._hinting.done()):
            return
        self._hinted = time.monotonic()
        self._hinting = asyncio.create_task(consumer.commit(dict(self._positions)))
        self._hinting.add_done_callback(_hinted)


def _hinted(hint: asyncio.Task[None]) -> None:
    # Asked for, or it would be logged with its traceback.
    error = None if hint.cancelled() else hint.exception()
    if error is not None:
        log.debug("hint_refused", why=repr(error))


def _shown(error: Exception) -> str:
    """What may be logged: of data that was refused Postgres quotes the values, which are people's addresses."""
    if isinstance(error, asyncpg.PostgresError):
        quotes = isinstance(error, REFUSED)
        return f"{type(error).__name__} ({error.sqlstate})" + ("" if quotes else f": {error.args[0]}")
    return f"{type(error).__name__}: {error}"
