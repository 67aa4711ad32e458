"""Broker and database as a worker sees them: asked, because a stream without work would not notice."""

import asyncio
from itertools import count
from typing import Any

import asyncpg
import structlog

from runtime import kafka, postgres
from runtime.advice import KAFKA_AWAY, POSTGRES_AWAY, POSTGRES_READ_ONLY, away
from runtime.broker import look_at_topics
from runtime.kafka import BrokerUnavailable
from runtime.postgres import POSTGRES_ERRORS
from schemas.settings import Settings
from workers.exactly_once.advice import shown

log = structlog.get_logger()

LOOK_EVERY = 5.0
# In turns of that.
TOPICS_EVERY = 12
# Less than whoever asks at the health port waits.
ANSWERING = 0.9


class Probes:
    """What a worker stands between; `consumer` is there once the group is joined."""

    def __init__(self, settings: Settings, pool: asyncpg.Pool) -> None:
        self._settings = settings
        self._pool = pool
        # Topics' settings that would lose records.
        self._faults: list[str] = []
        self.consumer: Any = None

    async def problems(self) -> list[str]:
        found = await self._away(ANSWERING)
        return [away(name, error) for name, error in found.items()] + self._faults

    async def watch(self) -> None:
        """Say who is away: Kafka's client waits for its broker without a word of what to do."""
        for turn in count():
            if turn % TOPICS_EVERY == 0:
                await self._look_at_topics()
            await asyncio.sleep(LOOK_EVERY)
            for name, error in (await self._away(LOOK_EVERY)).items():
                log.warning("server_away", server=name, why=shown(error), todo=_todo(name, error))

    async def _look_at_topics(self) -> None:
        """Whoever sets a topic may do so at any time."""
        try:
            async with asyncio.timeout(LOOK_EVERY):
                self._faults = (await look_at_topics(self._settings)).faults
        except (BrokerUnavailable, TimeoutError):
            # Said below; what was known of the topics stays known.
            return
        for fault in self._faults:
            log.error("topic_is_unsafe", fault=fault, todo="records are lost before they are processed")

    async def _away(self, answering: float) -> dict[str, Exception]:
        found: dict[str, Exception] = {}
        for name, question in (("Kafka", self._ask_broker), ("Postgres", self._ask_database)):
            try:
                async with asyncio.timeout(answering):
                    await question()
            except (BrokerUnavailable, *POSTGRES_ERRORS) as error:
                found[name] = error
        return found

    async def _ask_broker(self) -> None:
        if self.consumer is not None:
            await kafka.ask(self.consumer)

    async def _ask_database(self) -> None:
        await postgres.ask(self._pool, postgres.writes)


def _todo(name: str, error: Exception) -> str:
    if isinstance(error, asyncpg.ReadOnlySQLTransactionError):
        return POSTGRES_READ_ONLY
    return KAFKA_AWAY if name == "Kafka" else POSTGRES_AWAY
