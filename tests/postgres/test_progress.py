"""The positions' rows."""

import asyncpg

from schemas.settings import Settings
from workers.exactly_once import progress


async def test_positions_are_locked_in_the_order_of_their_partitions_whatever_the_plan(tables: Settings, pool: asyncpg.Pool) -> None:
    """Two workers that share partitions would lock each other out."""
    backwards = list(range(9, -1, -1))
    await pool.executemany("INSERT INTO progress (topic, partition) VALUES ('any', $1)", [(each,) for each in backwards])
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL enable_indexscan = off; SET LOCAL enable_bitmapscan = off")
        locked = await progress.lock(connection, "any", backwards)

    assert list(locked) == sorted(backwards)
