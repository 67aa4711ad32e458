"""The producer of the imports topic."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import islice

import structlog
from aiokafka import AIOKafkaProducer
from aiokafka.errors import KafkaError, MessageSizeTooLargeError
from aiokafka.producer.message_accumulator import BatchBuilder

from ingest.publish.end_offsets import ANSWERED_WITHIN
from ingest.publish.partition_queue import Delivery, PartitionQueue, Placed
from runtime.advice import KAFKA_AWAY
from runtime.crash_points import crash_point
from runtime.kafka import BrokerUnavailable, started, stop_client
from runtime.producer import new_producer
from schemas.settings import KIB, Settings
from schemas.topics import IMPORTS, partition

log = structlog.get_logger()

Start = Callable[[Settings], Awaitable[AIOKafkaProducer]]

# Below what a broker takes by default (1 MiB), above the largest record.
_BATCH_BYTES = 768 * KIB
_BATCH_RECORDS = 100_000
UNCONFIRMED_FOR = 5.0
_REFUSED_PAUSE = 1.0
_SEE_BROKER = "see the broker's log; what was accepted is kept, and published as soon as it is taken"


class Producer:
    """Publishes to the imports topic through one writer per partition."""

    def __init__(self, settings: Settings, partitions: int, start: Start) -> None:
        self._settings = settings
        self._start = start
        self._topic = settings.topic(IMPORTS.name)
        self._queues = [PartitionQueue() for _ in range(partitions)]
        self._producer: AIOKafkaProducer | None = None
        self._starting = asyncio.Lock()
        # How many records the writers ever got.
        self.handed = 0

    async def publish(self, records: Placed, delivery: Delivery) -> None:
        """Hand records to their writers; the delivery tells when the broker has them."""
        for number, its_records in records.items():
            self._queues[number].add(its_records, delivery)
            self.handed += len(its_records)
            # Each writer packs at once; all of them together would take too long for everybody else.
            await asyncio.sleep(0)

    @property
    def unconfirmed(self) -> int:
        return sum(map(len, self._queues))

    @property
    def partitions(self) -> int:
        return len(self._queues)

    def partition(self, key: bytes) -> int:
        return partition(key, len(self._queues))

    def check(self) -> None:
        """Raises `BrokerUnavailable` while something has waited too long for its confirmation: more would only pile up."""
        if max(queue.unconfirmed_for() for queue in self._queues) > UNCONFIRMED_FOR:
            raise BrokerUnavailable

    async def run(self) -> None:
        """Write until cancelled."""
        async with asyncio.TaskGroup() as tasks:
            for number, queue in enumerate(self._queues):
                tasks.create_task(self._write(number, queue))

    async def problems(self) -> list[str]:
        """What keeps the broker from taking records, asked of the broker itself."""
        try:
            found = await self.mismatch()
        except (KafkaError, OSError, TimeoutError) as error:
            return [f"Kafka does not answer ({type(error).__name__}): start it, or set PROFUSE_KAFKA"]
        return [found] if found else []

    async def mismatch(self) -> str:
        """What is wrong with the topic; raises what says that the broker is away."""
        async with asyncio.timeout(ANSWERED_WITHIN):
            metadata = await (await self._started()).client.fetch_all_metadata()
        found = len(metadata.partitions_for_topic(self._topic) or ())
        if found == len(self._queues):
            return ""
        # Never publish to others by itself: keys would lose their order.
        todo = "docs/operations.md says how to go on (partitions were added)" if found else "run `profuse migrate`"
        return f"topic {self._topic} has {found} partitions instead of {len(self._queues)}: {todo}"

    async def close(self) -> None:
        """Without a broker a producer would stop for ever."""
        producer, self._producer = self._producer, None
        if producer is not None:
            await stop_client(producer)

    async def _write(self, number: int, queue: PartitionQueue) -> None:
        most = _BATCH_RECORDS
        while True:
            await queue.filled.wait()
            producer = await self._started_at_last()
            batch = _packed(producer.create_batch(), queue, most)
            count = batch.record_count()
            try:
                confirmation = await producer.send_batch(batch, self._topic, partition=number)
                await confirmation
            except KafkaError as error:
                log.warning("records_refused", partition=number, records=count, error=type(error).__name__, todo=_SEE_BROKER)
                # A topic may be set to take less than a broker does by default.
                most = max(count // 2, 1) if isinstance(error, MessageSizeTooLargeError) else most
                await self._replace(producer)
            else:
                crash_point("gateway:half_published")
                queue.confirm(count)
                most = _BATCH_RECORDS

    async def _started_at_last(self) -> AIOKafkaProducer:
        while True:
            try:
                return await self._started()
            except (KafkaError, OSError) as error:
                log.warning("broker_away", error=type(error).__name__, todo=KAFKA_AWAY)
                await asyncio.sleep(_REFUSED_PAUSE)

    async def _started(self) -> AIOKafkaProducer:
        async with self._starting:
            if self._producer is None:
                self._producer = await self._start(self._settings)
            return self._producer

    async def _replace(self, refused: AIOKafkaProducer) -> None:
        """One refused batch leaves its partition broken until the producer is replaced."""
        if self._producer is refused:
            self._producer = None
            await stop_client(refused)
            await asyncio.sleep(_REFUSED_PAUSE)


async def start_producer(settings: Settings) -> AIOKafkaProducer:
    return await started(new_producer(settings, max_batch_size=_BATCH_BYTES, linger_ms=5))


@asynccontextmanager
async def open_producer(settings: Settings, partitions: int, start: Start = start_producer) -> AsyncIterator[Producer]:
    producer = Producer(settings, partitions, start)
    try:
        yield producer
    finally:
        await producer.close()


def _packed(batch: BatchBuilder, queue: PartitionQueue, most: int) -> BatchBuilder:
    """As many of the oldest records as fit, those of many requests together; closed."""
    for key, value, headers in islice(queue.records(), most):
        if batch.append(timestamp=None, key=key, value=value, headers=list(headers)) is None:
            break
    batch.close()
    return batch
