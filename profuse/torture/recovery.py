"""How long it takes until every partition moves again."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer, TopicPartition

from runtime import kafka, postgres
from schemas.settings import Settings
from schemas.topics import IMPORTS, MATCHES

# By topic and partition, as the workers keep them in Postgres.
Positions = dict[TopicPartition, int]

_SERVER_ERRORS = (*postgres.POSTGRES_ERRORS, *kafka.AWAY)
_LOOK_EVERY = 0.2
_LOOK_WITHIN = 3.0
# All of it must hold for so long, or a partition that was merely idle would count as alive.
_STEADY = 1.0
LONGEST = 60.0


@dataclass(frozen=True)
class Look:
    """Where the workers are, and where the topics end."""

    positions: Positions
    ends: Positions

    def lag(self) -> int:
        return sum(max(0, end - self.positions.get(partition, 0)) for partition, end in self.ends.items())

    def has_moved(self, before: Positions, imports: str) -> bool:
        """Every partition of imports has moved; one of matches may also have nothing to do."""
        return all(
            self.positions[partition] > position or (partition.topic != imports and self.positions[partition] >= self.ends[partition])
            for partition, position in before.items()
        )


class Watch:
    """Looks at Postgres and the broker from outside."""

    def __init__(self, settings: Settings, consumer: Any) -> None:
        self._postgres = settings.postgres
        self._schema = settings.prefix
        self._imports = settings.topic(IMPORTS.name)
        self._consumer = consumer
        self._topics = [settings.topic(topic.name) for topic in (IMPORTS, MATCHES)]

    async def look(self) -> Look | None:
        """None while a server is away."""
        try:
            async with asyncio.timeout(_LOOK_WITHIN):
                positions = await self._positions()
                return Look(positions, await self._consumer.end_offsets(list(positions)))
        except _SERVER_ERRORS:
            return None

    async def recovered(self) -> float:
        """Seconds from now until all partitions have moved; at most `LONGEST`."""
        began = time.monotonic()
        before: Positions | None = None
        since: float | None = None
        while (now := time.monotonic()) - began < LONGEST:
            seen = await self.look()
            if seen is not None and before is None:
                before = seen.positions
            moves = seen is not None and before is not None and seen.has_moved(before, self._imports)
            since = (since or now) if moves else None
            if since is not None and now - since >= _STEADY:
                return since - began
            await asyncio.sleep(_LOOK_EVERY)
        return LONGEST

    async def _positions(self) -> Positions:
        connection = await asyncpg.connect(self._postgres, server_settings={"search_path": self._schema})
        try:
            rows = await connection.fetch("SELECT topic, partition, position FROM progress WHERE topic = ANY($1)", self._topics)
        finally:
            await connection.close()
        return {TopicPartition(row["topic"], row["partition"]): row["position"] for row in rows}


@asynccontextmanager
async def watching(settings: Settings) -> AsyncIterator[Watch]:
    consumer = AIOKafkaConsumer(**settings.kafka_options(), request_timeout_ms=2_000, retry_backoff_ms=100)
    await consumer.start()
    try:
        yield Watch(settings, consumer)
    finally:
        await consumer.stop()
