"""Starts a peer, gives it its messages, and waits until all of them are rows."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass

import asyncpg
from aiokafka import AIOKafkaProducer
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from bench.records import Record
from bench.run import Run
from bench.serving import ended

_PARTITIONS = 12
# Counting many rows costs, too.
_LOOK = 0.1


@dataclass(frozen=True)
class Peer:
    """Its topic, its consumer group and how many members that has, the table that it fills, and how it is started."""

    topic: str
    group: str
    members: int
    table: str
    create: Callable[[str], Awaitable[None]]
    commands: Sequence[Sequence[str]]


class Feed:
    """A peer that runs."""

    def __init__(self, pool: asyncpg.Pool, producer: AIOKafkaProducer, peer: Peer) -> None:
        self._pool = pool
        self._producer = producer
        self._topic = peer.topic
        self._count = f"SELECT count(*) FROM public.{peer.table}"  # noqa: S608  # a constant
        self._sent = 0

    async def seconds(self, records: Sequence[Record]) -> float:
        """From the first record until the last of as many new profiles is committed."""
        self._sent += len(records)
        began = time.perf_counter()
        await asyncio.gather(*[await self._producer.send(self._topic, value, key) for key, value in records])
        while await self._pool.fetchval(self._count) < self._sent:
            await asyncio.sleep(_LOOK)
        return time.perf_counter() - began


@asynccontextmanager
async def fed(run: Run, peer: Peer) -> AsyncIterator[Feed]:
    """A peer, once each of its processes has its partitions."""
    kafka = run.settings.kafka
    await peer.create(run.stack.postgres)
    async with AsyncExitStack() as until_over:
        admin = AIOKafkaAdminClient(bootstrap_servers=kafka)
        await admin.start()
        until_over.push_async_callback(admin.close)
        await admin.create_topics([NewTopic(peer.topic, _PARTITIONS, 1)])
        for command in peer.commands:
            until_over.enter_context(ended(command))
        while not await _has_joined(admin, peer):
            await asyncio.sleep(_LOOK)
        producer = AIOKafkaProducer(bootstrap_servers=kafka, acks="all", linger_ms=5, max_batch_size=256 * 1024)
        yield Feed(run.pool, await until_over.enter_async_context(producer), peer)


async def _has_joined(admin: AIOKafkaAdminClient, peer: Peer) -> bool:
    (told,) = await admin.describe_consumer_groups([peer.group])
    _, _, state, _, _, members, *_ = told.groups[0]
    return state == "Stable" and len(members) == peer.members
