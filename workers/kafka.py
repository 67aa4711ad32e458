"""The workers' consumer and producer, and all that they know of the broker."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Iterable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager
from typing import Any

from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, RecordsToDelete
from aiokafka.errors import KafkaError
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.structs import TopicPartition

from schemas.settings import Settings
from schemas.topics import Outgoing, partition

# Below the broker's default for a topic's largest batch.
BATCH_BYTES = 900_000
STOPPING = 5.0
CONFIRMING = 15.0


class BrokerUnavailable(Exception):
    """The broker did not confirm what was sent; it may or may not have it."""


def new_consumer(settings: Settings, group: str) -> AIOKafkaConsumer:
    """A consumer that never decides by itself where to read: positions are in Postgres."""
    session = int(settings.session_timeout.total_seconds() * 1000)
    return AIOKafkaConsumer(
        **settings.kafka_options(),
        group_id=settings.topic(group),
        enable_auto_commit=False,
        # "earliest" would rewind silently when an offset is out of range.
        auto_offset_reset="none",
        session_timeout_ms=session,
        heartbeat_interval_ms=1_000,
        rebalance_timeout_ms=30_000,
        # So soon it is seen that a topic was made anew, or has other partitions.
        metadata_max_age_ms=10_000,
        max_partition_fetch_bytes=4 * 1024 * 1024,
        fetch_max_wait_ms=100,
    )


async def ask(consumer: Any) -> None:
    """Raises `BrokerUnavailable` if the broker does not answer."""
    try:
        await consumer.topics()
    except KafkaError as error:
        raise BrokerUnavailable(repr(error)) from error


async def end_offsets(settings: Settings, partitions: Iterable[tuple[str, int]]) -> dict[tuple[str, int], int]:
    """Where the partitions end, asked by a client of its own. Raises `BrokerUnavailable`."""
    consumer = AIOKafkaConsumer(**settings.kafka_options())
    try:
        await consumer.start()
        ends = await consumer.end_offsets([TopicPartition(*partition) for partition in partitions])
    except KafkaError as error:
        raise BrokerUnavailable(repr(error)) from error
    finally:
        await stop_client(consumer)
    return {(partition.topic, partition.partition): end for partition, end in ends.items()}


async def delete_records(settings: Settings, below: Mapping[tuple[str, int], int], before: float) -> int:
    """Let the broker delete the records below these offsets that are older than `before`, a Unix time; how many those were.

    Raises `BrokerUnavailable`.
    """
    if not below:
        return 0
    consumer, admin = AIOKafkaConsumer(**settings.kafka_options()), AIOKafkaAdminClient(**settings.kafka_options())
    limits = {TopicPartition(*partition): offset for partition, offset in below.items()}
    try:
        await consumer.start()
        await admin.start()
        starts = await consumer.beginning_offsets(list(limits))
        young = await consumer.offsets_for_times(dict.fromkeys(limits, int(before * 1000)))
        # No young one: all are old.
        ends = {each: min(limit, young[each].offset if young[each] else limit) for each, limit in limits.items()}
        old = {each: RecordsToDelete(end) for each, end in ends.items() if end > starts[each]}
        await admin.delete_records(old)
    except KafkaError as error:
        raise BrokerUnavailable(repr(error)) from error
    finally:
        await stop_client(consumer)
        await admin.close()
    return sum(ends[each] - starts[each] for each in old)


@asynccontextmanager
async def open_publisher(settings: Settings) -> AsyncIterator["Publisher"]:
    async with aclosing(Publisher(settings)) as publisher:
        yield publisher


class Publisher:
    """Sends records and returns when the broker has confirmed them."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._producer: AIOKafkaProducer | None = None
        # One batch per partition is under way at a time; two publishing tasks would starve each other.
        self._turn = asyncio.Lock()

    async def publish(self, records: Sequence[Outgoing]) -> None:
        """Raises `BrokerUnavailable`; publishing again is harmless, because every reader drops repeats."""
        if not records:
            return
        async with self._turn:
            try:
                # An idempotent producer would try for as long as the broker is away, and its worker stand still and silent.
                async with asyncio.timeout(CONFIRMING):
                    await self._send(records)
            except (KafkaError, OSError, TimeoutError) as error:
                # A refused batch leaves its partition broken until the producer is replaced.
                await self._drop()
                raise BrokerUnavailable(repr(error)) from error

    async def aclose(self) -> None:
        async with self._turn:
            await self._drop()

    async def _send(self, records: Sequence[Outgoing]) -> None:
        producer = await self._started()
        counts = {topic: len(await producer.partitions_for(topic)) for topic in {record.topic for record in records}}
        placed = _by_partition(records, counts)
        await asyncio.gather(*[_send(producer, *place, _packed(producer, group)) for place, group in placed.items()])

    async def _started(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = AIOKafkaProducer(
                **self._settings.kafka_options(),
                acks="all",
                enable_idempotence=True,
                compression_type="zstd",
                max_batch_size=BATCH_BYTES,
                max_request_size=BATCH_BYTES + 100_000,
                request_timeout_ms=10_000,
            )
            self._producer = producer
            await producer.start()
        return self._producer

    async def _drop(self) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            await stop_client(producer)


async def stop_client(client: Any) -> None:
    """Stop a consumer or producer; without a broker they would wait for ever."""
    try:
        async with asyncio.timeout(STOPPING):
            await client.stop()
    except (KafkaError, OSError, TimeoutError):
        # Whatever was not confirmed is published again from its outbox.
        return


def _by_partition(records: Sequence[Outgoing], counts: Mapping[str, int]) -> dict[tuple[str, int], list[Outgoing]]:
    placed: dict[tuple[str, int], list[Outgoing]] = defaultdict(list)
    for record in records:
        placed[record.topic, partition(record.key, counts[record.topic])].append(record)
    return placed


def _packed(producer: AIOKafkaProducer, records: list[Outgoing]) -> list[BatchBuilder]:
    batches: list[BatchBuilder] = []
    for record in records:
        if not batches or not _append(batches[-1], record):
            batches.append(producer.create_batch())
            _append(batches[-1], record)
    return batches


def _append(batch: BatchBuilder, record: Outgoing) -> bool:
    return batch.append(key=record.key, value=record.value, timestamp=None, headers=list(record.headers)) is not None


async def _send(producer: AIOKafkaProducer, topic: str, partition: int, batches: list[BatchBuilder]) -> None:
    for batch in batches:
        await (await producer.send_batch(batch, topic, partition=partition))
