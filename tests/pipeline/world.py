"""What can be seen of a stack from outside, beside its answers: rows and events."""

import asyncio
import json
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Any

import asyncpg
from aiokafka import AIOKafkaConsumer
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.protocol.group import LeaveGroupRequest


class World:
    """One schema and its topics. Blocking, because a test reads from top to bottom."""

    def __init__(self, kafka: str, postgres: str, prefix: str) -> None:
        self._kafka, self._postgres, self._prefix = kafka, postgres, prefix
        self._runner = asyncio.Runner()
        self._connection: asyncpg.Connection | None = None

    def rows(self, sql: str, *arguments: object) -> list[asyncpg.Record]:
        return self._runner.run(self._rows(sql, *arguments))

    def value(self, sql: str, *arguments: object) -> Any:
        """The first value of the first row, or None."""
        return next((row[0] for row in self.rows(sql, *arguments)), None)

    @contextmanager
    def locked(self, table: str) -> Iterator[None]:
        """Nobody else writes to it meanwhile: who wants to waits, whatever else he has done."""
        self.rows("BEGIN")
        try:
            self.rows(f"LOCK TABLE {table} IN SHARE MODE")
            yield
        finally:
            self.rows("ROLLBACK")

    def events(self) -> list[dict[str, Any]]:
        """Everything on the topic of events so far, in no order."""
        return self._runner.run(self._events())

    def headers(self, topic: str) -> list[dict[str, bytes]]:
        """Those of every record of a topic, by name."""
        return self._runner.run(self._headers(f"{self._prefix}.{topic}"))

    def members(self, room: str) -> int:
        """How many processes of a room share its work, while nobody joins or leaves; else 0."""
        return self._runner.run(self._members(f"{self._prefix}.{room}"))

    def evict(self, room: str) -> None:
        """Let nobody wait for the session of a process that was killed."""
        self._runner.run(self._evict(f"{self._prefix}.{room}"))

    def drop(self) -> None:
        """Leave nothing on servers that others use too."""
        self.rows(f'DROP SCHEMA IF EXISTS "{self._prefix}" CASCADE')
        self._runner.run(self._delete_topics())
        self.close()

    def close(self) -> None:
        self._runner.run(self._close())
        self._runner.close()

    async def _rows(self, sql: str, *arguments: object) -> list[asyncpg.Record]:
        if self._connection is None:
            self._connection = await asyncpg.connect(self._postgres, server_settings={"search_path": self._prefix})
        return list(await self._connection.fetch(sql, *arguments))

    async def _close(self) -> None:
        if self._connection is not None:
            await self._connection.close()

    async def _events(self) -> list[dict[str, Any]]:
        return [json.loads(record.value) for record in await self._records(f"{self._prefix}.events")]

    async def _headers(self, topic: str) -> list[dict[str, bytes]]:
        return [dict(record.headers) for record in await self._records(topic)]

    async def _records(self, topic: str) -> list[Any]:
        # Without a group it reads all partitions, from their beginnings.
        async with AIOKafkaConsumer(topic, bootstrap_servers=self._kafka, auto_offset_reset="earliest") as consumer:
            ends = await consumer.end_offsets(consumer.assignment())
            found: list[Any] = []
            while any([await consumer.position(part) < end for part, end in ends.items()]):
                for records in (await consumer.getmany(timeout_ms=1_000)).values():
                    found += records
            return found

    async def _members(self, group: str) -> int:
        async with self._admin() as admin:
            (answer,) = await admin.describe_consumer_groups([group])
        ((_, _, state, _, _, members, *_),) = answer.groups
        return len(members) if state == "Stable" else 0

    async def _evict(self, group: str) -> None:
        async with self._admin() as admin:
            (answer,) = await admin.describe_consumer_groups([group])
            ((_, _, _, _, _, members, *_),) = answer.groups
            broker = await admin.find_coordinator(group)
            for member in members:
                await admin._send_request(LeaveGroupRequest(group, member[0]), broker)

    async def _delete_topics(self) -> None:
        async with self._admin() as admin:
            await admin.delete_topics([topic for topic in await admin.list_topics() if topic.startswith(f"{self._prefix}.")])

    @asynccontextmanager
    async def _admin(self) -> AsyncIterator[AIOKafkaAdminClient]:
        admin = AIOKafkaAdminClient(bootstrap_servers=self._kafka)
        await admin.start()
        try:
            yield admin
        finally:
            await admin.close()
