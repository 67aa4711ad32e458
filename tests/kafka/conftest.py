"""A room whose effects can be counted, behind the real exactly-once, Kafka and Postgres."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import asyncpg
import msgspec
import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition

from runtime.kafka import BrokerUnavailable
from runtime.postgres import open_pool
from runtime.producer import Publisher, open_publisher
from schemas.ids import new_id
from schemas.messages import ProfileImport
from schemas.settings import Settings
from schemas.topics import IMPORTS, MATCHES, Outgoing, Topic, item_headers
from workers.exactly_once import Conflict, Dead, Stream, TooMuch, Unprocessable

BATCH = new_id()


@dataclass
class Ledger:
    """Writes each item into a table that would show it twice, and announces it on the next topic."""

    settings: Settings
    topic: Topic[ProfileImport] = IMPORTS
    prepared: int = 0
    transactions: int = 0
    # How many messages each of them was given.
    sizes: list[int] = field(default_factory=list)
    surprises: int = 0
    surprise: type[Exception] = Conflict
    # What a message that says so breaks with.
    breaking: type[BaseException] = KeyError
    # A new version of the code takes any message.
    fixed: bool = False
    # More messages are too much at once, and so is one that says so.
    most: int = 1_000_000
    failed: list[Dead] = field(default_factory=list)

    async def prepare(self, messages: Sequence[ProfileImport]) -> AsyncGenerator[ProfileImport | Unprocessable, None]:
        for message in messages:
            self._break(message, "breaks while it is prepared")
            self.prepared += 1
            known = self.fixed or message.value != "unknown"
            yield message if known else Unprocessable("unknown batch")

    async def apply(self, connection: asyncpg.Connection, messages: Sequence[ProfileImport], dead: Sequence[Dead]) -> list[Outgoing]:
        self.transactions += 1
        self.sizes.append(len(messages))
        if len(messages) > self.most or any(message.value == "too much" for message in messages):
            raise TooMuch("the test wants it")
        if self.fixed:
            messages = [msgspec.structs.replace(message, value="1") for message in messages]
        for message in messages:
            self._break(message, "breaks while it is applied")
        # What the test puts into `value` decides what the database thinks of it.
        # By its full name, so that a test can tell its own connections from those of another run on the same server.
        insert = f'INSERT INTO "{self.settings.prefix}".ledger (item, amount) VALUES ($1, $2::text::int)'  # noqa: S608
        await connection.executemany(insert, [(m.item, m.value) for m in messages])
        if self.surprises:
            self.surprises -= 1
            raise self.surprise("the test wants it")
        self.failed += dead
        topic = self.settings.topic(MATCHES.name)
        return [Outgoing(topic, b"%d" % message.item, message.encode()) for message in messages]

    def _break(self, message: ProfileImport, when: str) -> None:
        if message.value == when and not self.fixed:
            raise self.breaking("of ann@example.com")

    async def committed(self, messages: Sequence[ProfileImport]) -> None:
        return


class Deaf(Publisher):
    """Loses the broker at the first publication, which is after the commit."""

    losses = 1

    async def publish(self, records: Sequence[Outgoing]) -> None:
        if records and self.losses:
            self.losses -= 1
            raise BrokerUnavailable("the test took it away")
        await super().publish(records)


class Slow(Publisher):
    """Confirms a moment after the test lets it, and tells how many transactions had begun by then."""

    def __init__(self, settings: Settings, ledger: Ledger) -> None:
        super().__init__(settings)
        self._ledger = ledger
        self.released = asyncio.Event()
        self.begun: list[int] = []

    async def publish(self, records: Sequence[Outgoing]) -> None:
        if records:
            await self.released.wait()
            # A transaction that does not wait for us has its chance.
            await asyncio.sleep(0.2)
            self.begun.append(self._ledger.transactions)
        await super().publish(records)


@dataclass
class Bench:
    """Feeds a topic, runs streams on it, and looks at what they did."""

    settings: Settings
    pool: asyncpg.Pool
    publisher: Publisher
    ledger: Ledger

    async def feed(self, values: Sequence[str], first: int = 0) -> None:
        await self.send([ProfileImport(batch=BATCH.hex(), item=item, value=value, data={}) for item, value in enumerate(values, first)])

    async def send(self, messages: Sequence[ProfileImport]) -> None:
        topic = self.settings.topic(IMPORTS.name)
        await self.publisher.publish(
            [Outgoing(topic, b"%d" % message.item, message.encode(), item_headers(BATCH, message.item)) for message in messages]
        )

    @asynccontextmanager
    async def running(self, group: str = "ledger", publisher: Publisher | None = None) -> AsyncIterator[Stream[ProfileImport]]:
        stop = asyncio.Event()
        stream = Stream(self.settings, group, self.ledger, self.pool, publisher or self.publisher)
        async with asyncio.TaskGroup() as tasks:
            tasks.create_task(stream.run(stop))
            try:
                yield stream
            finally:
                stop.set()

    async def items(self) -> list[int]:
        return [row["item"] for row in await self.pool.fetch("SELECT item FROM ledger ORDER BY item")]

    async def processed(self) -> int:
        return int(await self.pool.fetchval("SELECT sum(position) FROM progress WHERE topic = $1", self.settings.topic(IMPORTS.name)))

    async def until_processed(self, count: int) -> None:
        await until(lambda: self._has_processed(count))

    async def _has_processed(self, count: int) -> bool:
        return await self.processed() >= count


_ACCOUNT = "INSERT INTO accounts (id, name) VALUES ($1, 'any') ON CONFLICT DO NOTHING"
_DATABASE = "INSERT INTO databases (account, number, name, unknown_fields, fields) VALUES ($1, 1, 'any', 'reject', '{}') RETURNING id"
_TRIGGER = """
INSERT INTO triggers (account, number, name, type, database, channel, active, unconditional_sending, skip_minutes, sender, subject, html)
VALUES ($1, 1, 'any', 'api_call', $2, 'email', true, false, 0, 'a@b.test', '', '') RETURNING id
"""
_BATCH = """
INSERT INTO batches (id, account, database, trigger, total, matching, skip_triggers, skip_invalid_subscriptions, detect_geo,
                     content, custom_data, rejects, accepting_until, due_at)
VALUES ($1, $2, $3, $4, 1000, 'email', false, false, false, '{}', '{}', '{}', now(), now())
"""


async def batch_of(pool: asyncpg.Pool, account: int, batch: bytes | None = None) -> bytes:
    """A batch of a thousand items, and all that it refers to."""
    batch = batch or new_id()
    await pool.execute(_ACCOUNT, account)
    database = await pool.fetchval(_DATABASE, account)
    await pool.execute(_BATCH, batch, account, database, await pool.fetchval(_TRIGGER, account, database))
    return batch


async def until(reached: Callable[[], Awaitable[bool]], seconds: float = 30) -> None:
    """Look again and again until it is so."""
    async with asyncio.timeout(seconds):
        while not await reached():
            await asyncio.sleep(0.02)


async def published(settings: Settings, name: str) -> list[bytes]:
    """All values on a topic."""
    topic = settings.topic(name)
    consumer = AIOKafkaConsumer(topic, bootstrap_servers=settings.kafka, auto_offset_reset="earliest")
    await consumer.start()
    try:
        partitions = [TopicPartition(topic, number) for number in consumer.partitions_for_topic(topic)]
        ends = await consumer.end_offsets(partitions)
        values: list[bytes] = []
        while len(values) < sum(ends.values()):
            values += [record.value for records in (await consumer.getmany(timeout_ms=200)).values() for record in records]
        return values
    finally:
        await consumer.stop()


async def announced(settings: Settings) -> list[int]:
    return [ProfileImport.decode(value).item for value in await published(settings, MATCHES.name)]


@pytest.fixture
async def bench(migrated: Settings) -> AsyncIterator[Bench]:
    async with await open_pool(migrated) as pool, open_publisher(migrated) as publisher:
        await pool.execute("CREATE TABLE ledger (item int, amount int)")
        yield Bench(migrated, pool, publisher, Ledger(migrated))
