"""The floor behind the broker: one consumer that stores chunks as the floor does, and its place in the same transaction."""

import asyncio
import sys

import asyncpg
import msgspec
from aiokafka import AIOKafkaConsumer

from bench import floor

TOPIC = "peer.bare"

_PLACES = "CREATE TABLE IF NOT EXISTS peer_bare_places (partition int PRIMARY KEY, position bigint NOT NULL)"
_PLACE = "INSERT INTO peer_bare_places VALUES ($1, $2) ON CONFLICT (partition) DO UPDATE SET position = excluded.position"


async def create(postgres: str) -> None:
    """Its tables, before it is started."""
    connection = await asyncpg.connect(postgres)
    await floor.create(connection)
    await connection.execute(_PLACES)
    await connection.close()


async def main(kafka: str, postgres: str) -> None:
    connection = await asyncpg.connect(postgres)
    decoder = msgspec.json.Decoder(tuple[str, str, str, str, str])
    consumer = AIOKafkaConsumer(TOPIC, bootstrap_servers=kafka, group_id=TOPIC, auto_offset_reset="earliest", enable_auto_commit=False)
    async with consumer:
        while True:
            found = await consumer.getmany(timeout_ms=1_000, max_records=floor.CHUNK)
            rows = [decoder.decode(record.value) for records in found.values() for record in records]
            if not rows:
                continue
            async with connection.transaction():
                await floor.chunk(connection, rows)
                await connection.executemany(_PLACE, [(each.partition, records[-1].offset + 1) for each, records in found.items()])


if __name__ == "__main__":
    asyncio.run(main(sys.argv[1], sys.argv[2]))
