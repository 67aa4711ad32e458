"""Where the imports topic ends, as the broker says."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from aiokafka import AIOKafkaConsumer, TopicPartition
from aiokafka.errors import KafkaError

from runtime.kafka import started, stop_client
from schemas.settings import Settings
from schemas.topics import IMPORTS

# Seconds for a server, the database too, that is only asked how things stand.
ANSWERED_WITHIN = 3.0

BROKER_AWAY: tuple[type[Exception], ...] = (KafkaError, OSError, TimeoutError)


class Ends:
    """Asks for the ends of all partitions; joins no group and reads nothing."""

    def __init__(self, settings: Settings, partitions: int) -> None:
        self._settings = settings
        self._partitions = [TopicPartition(settings.topic(IMPORTS.name), number) for number in range(partitions)]
        self._consumer: AIOKafkaConsumer | None = None

    async def read(self) -> list[int]:
        """Raises one of `BROKER_AWAY` if the broker does not answer."""
        async with asyncio.timeout(ANSWERED_WITHIN):
            if self._consumer is None:
                self._consumer = await started(AIOKafkaConsumer(**self._settings.kafka_options(), enable_auto_commit=False))
            ends = await self._consumer.end_offsets(self._partitions)
        return [ends[partition] for partition in self._partitions]

    async def close(self) -> None:
        if self._consumer is not None:
            await stop_client(self._consumer)


@asynccontextmanager
async def open_ends(settings: Settings, partitions: int) -> AsyncIterator[Ends]:
    ends = Ends(settings, partitions)
    try:
        yield ends
    finally:
        await ends.close()
