"""What tests of retention are made of: batches that are over, and what keeps them."""

import asyncio
import time
from datetime import timedelta

import asyncpg

from schemas.settings import Settings
from tests.launching import World, new_world
from workers.retention import Retention

HOUR = 3600

LAUNCHES = """
INSERT INTO launches (batch, trigger, attempt, first_item, due_at, run_at, chunk, items, profiles, done, finished_at)
VALUES ($1, $2, 0, 0, now(), now(), 0, ARRAY[0, 1], '', B'11', now())
"""
_REQUEST = """
INSERT INTO requests (token, request_id, path, body_hash, batch, expires_at) SELECT id, $2, '/', '', $1, now() + $3::interval FROM tokens
"""
LETTER = """
INSERT INTO dead_letters (topic, partition, "offset", headers, reason, batch, item, replayed_at) VALUES ('t', 0, $2, '[]', 'any', $1, 2, $3)
"""
FAILURE = """
INSERT INTO failures (batch, trigger, item, profile, reason, failed_at, attempt, first_item, run)
SELECT id, trigger, $2, '', 'HTTP 422', now() - $3::interval, 0, 0, 0 FROM batches WHERE id = $1
"""


async def world_of(pool: asyncpg.Pool) -> World:
    """With a token, as Request-IDs need one."""
    world = await new_world(pool)
    await pool.execute("INSERT INTO tokens (account, name, hash, rights) VALUES (1, 'any', '', '{}')")
    return world


async def request(world: World, batch: bytes, name: str, expires_in: timedelta) -> None:
    await world.pool.execute(_REQUEST, batch, name, expires_in)


async def finished(world: World, hours: float = 25, ahead: float = 0) -> bytes:
    """A batch that was accepted so long ago, by a gateway whose clock was ahead: two items imported and launched, one failed."""
    moment = int((time.time() - (hours - ahead) * HOUR) * 1000)
    made = await world.batch(3)
    batch = moment.to_bytes(6, "big") + made[6:]
    # At once: a sweep that saw it half-made would put it off for hours.
    async with world.pool.acquire() as connection, connection.transaction():
        await connection.execute(
            "UPDATE batches SET id = $2, accepted_at = now() - $3::interval, accepting_until = now() - $3::interval, "
            "published_at = now(), look_at = now() WHERE id = $1",
            made,
            batch,
            timedelta(hours=hours),
        )
        await connection.execute("INSERT INTO batch_progress (batch, total, done, imported, failed) VALUES ($1, 3, B'111', 2, 1)", batch)
        await connection.execute(
            "INSERT INTO results (batch, chunk, items, profiles, errors, custom_data) VALUES ($1, 0, '{}', '', '{}', '{}')", batch
        )
        await connection.execute("INSERT INTO attachments (batch, position, name, mimetype, data) VALUES ($1, 0, 'a', 'b', '')", batch)
        await connection.execute(LAUNCHES, batch, world.trigger)
    return batch


async def sweep(world: World, settings: Settings) -> None:
    """When the time has come to look at all of them."""
    await world.pool.execute("UPDATE batches SET look_at = now() WHERE look_at > now()")
    await Retention(settings, world.pool).sweep()


async def left(world: World) -> list[bytes]:
    return [row["id"] for row in await world.pool.fetch("SELECT id FROM batches ORDER BY id")]


async def until(pool: asyncpg.Pool, condition: str) -> None:
    async with asyncio.timeout(60):
        while not await pool.fetchval(f"SELECT {condition}"):
            await asyncio.sleep(0.02)
