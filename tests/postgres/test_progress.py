"""The positions' rows."""

import asyncpg

from ingest.sql import batches
from schemas.settings import Settings
from workers.exactly_once import progress

_INSERT = "INSERT INTO progress (topic, partition, position) VALUES ($1, $2, $3)"


async def test_a_gateway_sees_a_topics_positions_by_their_partition_and_no_other_topics(tables: Settings, pool: asyncpg.Pool) -> None:
    backwards = list(range(9, -1, -1))
    await pool.executemany(_INSERT, [(topic, each, 10 * each) for each in backwards for topic in ("any", "other")])
    async with pool.acquire() as connection:
        found = await batches.positions(connection, "any")

    assert found == [10 * each for each in sorted(backwards)]


async def test_positions_are_locked_in_the_order_of_their_partitions_whatever_the_plan(tables: Settings, pool: asyncpg.Pool) -> None:
    """Two workers that share partitions would lock each other out."""
    backwards = list(range(9, -1, -1))
    await pool.executemany(_INSERT, [("any", each, 0) for each in backwards])
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL enable_indexscan = off; SET LOCAL enable_bitmapscan = off")
        locked = await progress.lock(connection, "any", backwards)

    assert list(locked) == sorted(backwards)
