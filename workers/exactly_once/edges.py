"""Broker and database as a worker sees them: asked, because a stream without work would not notice."""

import asyncio
from typing import Any

import asyncpg
import structlog

from schemas.outages import KAFKA_AWAY, POSTGRES_AWAY
from workers import kafka, postgres
from workers.exactly_once.telling import shown
from workers.kafka import BrokerUnavailable
from workers.postgres import AWAY

log = structlog.get_logger()

LOOK_EVERY = 5.0
# Less than whoever asks at the health port waits.
ANSWERING = 0.9
_TODO = {"Kafka": KAFKA_AWAY, "Postgres": POSTGRES_AWAY}


class Edges:
    """What a worker stands between; `consumer` is there once the group is joined."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self.consumer: Any = None

    async def problems(self) -> list[str]:
        away = await self._away(ANSWERING)
        return [f"{name} does not answer ({type(error).__name__}): start it, or set PROFUSE_{name.upper()}" for name, error in away.items()]

    async def watch(self) -> None:
        """Say who is away: Kafka's client waits for its broker without a word of what to do."""
        while True:
            await asyncio.sleep(LOOK_EVERY)
            for name, error in (await self._away(LOOK_EVERY)).items():
                log.warning("server_away", server=name, why=shown(error), todo=_TODO[name])

    async def _away(self, answering: float) -> dict[str, Exception]:
        away: dict[str, Exception] = {}
        for name, question in (("Kafka", self._ask_broker), ("Postgres", self._ask_database)):
            try:
                async with asyncio.timeout(answering):
                    await question()
            except (BrokerUnavailable, *AWAY) as error:
                away[name] = error
        return away

    async def _ask_broker(self) -> None:
        if self.consumer is not None:
            await kafka.ask(self.consumer)

    async def _ask_database(self) -> None:
        await postgres.ask(self._pool)
