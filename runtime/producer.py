"""Producers: what all of them have in common, and that of the workers."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import aclosing, asynccontextmanager

from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError
from aiokafka.producer.message_accumulator import BatchBuilder
from aiokafka.util import NO_EXTENSIONS

from runtime.kafka import STOPPING, BrokerUnavailable, cut_off
from schemas.settings import Settings
from schemas.topics import Outgoing, partition

Publish = Callable[[Sequence[Outgoing]], Awaitable[None]]

# Below the broker's default for a topic's largest batch.
BATCH_BYTES = 900_000
CONFIRMING = 15.0
# At the end nobody waits for a confirmation any more.
_GOODBYE = 0.5


def new_producer(settings: Settings, **sizes: int) -> AIOKafkaProducer:
    """One that keeps the order and writes nothing twice; not started. `sizes` are the client's own names."""
    # Slower by an order of magnitude, and silent about it.
    if NO_EXTENSIONS:
        raise RuntimeError("aiokafka runs without its C extensions")
    return AIOKafkaProducer(
        **settings.kafka_options(),
        acks="all",
        enable_idempotence=True,
        compression_type="zstd",
        request_timeout_ms=10_000,
        **sizes,
    )


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
            await self._drop(_GOODBYE)

    async def _send(self, records: Sequence[Outgoing]) -> None:
        producer = await self._started()
        counts = {topic: len(await producer.partitions_for(topic)) for topic in {record.topic for record in records}}
        placed = _by_partition(records, counts)
        await asyncio.gather(*[_send(producer, *place, _packed(producer, group)) for place, group in placed.items()])

    async def _started(self) -> AIOKafkaProducer:
        if self._producer is None:
            producer = new_producer(self._settings, max_batch_size=BATCH_BYTES, max_request_size=BATCH_BYTES + 100_000)
            self._producer = producer
            await producer.start()
        return self._producer

    async def _drop(self, within: float = STOPPING) -> None:
        producer, self._producer = self._producer, None
        if producer is not None:
            await cut_off(producer, within)


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
