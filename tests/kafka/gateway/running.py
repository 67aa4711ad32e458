"""A running gateway on real servers; the test plays the matcher."""

import asyncio
import json
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import httpx2
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer, ConsumerRecord, TopicPartition

from ingest.endpoints.registry import ENDPOINTS
from ingest.endpoints.response_models import Failure, StillProcessing
from ingest.envelope import STILL_PROCESSING
from ingest.gateway import Gateway
from ingest.publish.end_offsets import Ends, open_ends
from ingest.publish.producer import open_producer, start_producer
from ingest.sql.pool import Pool
from profuse.plain_http import plain_client
from schemas.settings import Settings
from schemas.topics import IMPORTS

TOKEN = "abcdefghijklmnqrstuvwxyz"
BATCH = "campaigns/triggers/import_and_start_batch"
TASK = BATCH + "_task"
GOOD = {"data": {"_fname": "Ann", "email": "ann@good.test"}}
PROFILE = "0a" * 12

Json = dict[str, Any]


def check_shape(path: str, answer: httpx2.Response) -> None:
    """Whatever a test sends, the answer has the shape that /docs says."""
    body = answer.json()
    successes = {each.path: each.answer for each in ENDPOINTS}
    shape = Failure if body["error"] else StillProcessing if body["error_text"] == STILL_PROCESSING else successes[path]
    shape.model_validate(body)


@dataclass
class Running:
    """A gateway, its client, and what is behind it."""

    settings: Settings
    pool: asyncpg.Pool
    gateway: Gateway
    ends: Ends
    client: httpx2.AsyncClient
    # Cleared: the broker cannot be reached.
    broker: asyncio.Event
    stop: asyncio.Event = field(default_factory=asyncio.Event)
    gone: asyncio.Event = field(default_factory=asyncio.Event)

    async def raw(self, path: str, content: Any, headers: Mapping[str, str] | None = None) -> httpx2.Response:
        answer = await self.client.post(f"{self.gateway.url}/api/v1.1/{path}", content=content, headers=dict(headers or {}))
        check_shape(path, answer)
        return answer

    async def post(self, path: str, headers: Mapping[str, str] | None = None, **body: object) -> httpx2.Response:
        return await self.raw(path, json.dumps({"token": TOKEN, **body}).encode(), headers)

    async def send(self, headers: Mapping[str, str] | None = None, path: str = BATCH, **body: object) -> httpx2.Response:
        given = {"token": TOKEN, "trigger_id": 8, "data": [GOOD], **body}
        return await self.raw(path, json.dumps(given).encode(), headers)

    async def status(self, task: str, **body: object) -> Json:
        answer = await self.post("tasks/status", None, task_id=task, **body)

        assert answer.status_code == 200, answer.text
        shown: Json = answer.json()["data"]
        return shown

    async def task(self) -> str:
        """The batch that was accepted last, once there is one."""
        batch: bytes = await self.soon("SELECT id FROM batches ORDER BY accepted_at DESC LIMIT 1")
        return batch.hex()

    async def soon(self, sql: str, *values: object) -> Any:
        """What a query finds, as soon as it finds something."""
        async with asyncio.timeout(20):
            while not (found := await self.pool.fetchval(sql, *values)):
                await asyncio.sleep(0.02)
        return found

    @asynccontextmanager
    async def answering(self) -> AsyncIterator[None]:
        """Answer every published item, as a matcher would."""
        async with asyncio.TaskGroup() as tasks:
            matcher = tasks.create_task(self._answer_for_ever())
            yield
            matcher.cancel()

    async def answer_item(self, task: str, item: int) -> None:
        async with self.pool.acquire() as connection, connection.transaction():
            await self.answered(connection, task, item)

    async def answered(self, connection: asyncpg.Connection, task: str, item: int) -> None:
        """In a transaction that is the test's."""
        await connection.execute(
            "INSERT INTO results (batch, chunk, items, profiles, errors, custom_data) VALUES ($1, $2, ARRAY[$2::int], $3, '{}', '{}')",
            bytes.fromhex(task),
            item,
            bytes.fromhex(PROFILE),
        )
        await connection.execute(
            "UPDATE batch_progress SET done = set_bit(done, $2, 1), imported = imported + 1 WHERE batch = $1", bytes.fromhex(task), item
        )

    async def forget(self) -> None:
        """Leave nothing to the next test."""
        self.broker.set()
        # No TRUNCATE: its locks on all partitions meet those of a gateway that reads several tables at once, and one of them dies of it.
        await self.pool.execute("DELETE FROM batches")
        await self.pool.execute("DELETE FROM requests")

    async def published(self, *tasks: str, count: int) -> list[ConsumerRecord]:
        """The first records of some batches, as soon as there are as many."""
        topic = self.settings.topic(IMPORTS.name)
        partitions = [TopicPartition(topic, number) for number in range(self.settings.partitions)]
        consumer = AIOKafkaConsumer(**self.settings.kafka_options(), enable_auto_commit=False)
        consumer.assign(partitions)
        await consumer.start()
        try:
            await consumer.seek_to_beginning(*partitions)
            records: list[ConsumerRecord] = []
            async with asyncio.timeout(20):
                while len(records) < count:
                    record = await consumer.getone()
                    records += [record] if dict(record.headers)["batch"].decode() in tasks else []
            return records
        finally:
            await consumer.stop()

    async def _answer_for_ever(self) -> None:
        unanswered = "SELECT b.id, i FROM batches b JOIN batch_progress p ON p.batch = b.id, generate_series(0, b.total - 1) i "
        unanswered += "WHERE b.published_at IS NOT NULL AND get_bit(p.done, i) = 0"
        while True:
            for row in await self.pool.fetch(unanswered):
                await self.answer_item(row["id"].hex(), row["i"])
            await asyncio.sleep(0.02)


@asynccontextmanager
async def running(settings: Settings) -> AsyncIterator[Running]:
    broker = asyncio.Event()
    broker.set()

    async def start(settings: Settings) -> AIOKafkaProducer:
        await broker.wait()
        return await start_producer(settings)

    async with (
        asyncpg.create_pool(**settings.postgres_options(), min_size=1) as pool,
        open_producer(settings, settings.partitions, start) as producer,
        open_ends(settings, settings.partitions) as ends,
        open_ends(settings, settings.partitions) as own_ends,
        plain_client(timeout=30) as client,
        asyncio.TaskGroup() as tasks,
    ):
        gateway = Gateway(settings, Pool(pool), producer, ends)
        world = Running(settings, pool, gateway, own_ends, client, broker)
        served = tasks.create_task(gateway.run(world.stop))
        served.add_done_callback(lambda _: world.gone.set())
        try:
            yield world
        finally:
            broker.set()
            # A gateway that stops waits a moment for requests of those who are still connected.
            await client.aclose()
            world.stop.set()
