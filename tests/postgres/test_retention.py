"""What is over is deleted together, and nothing before it is over."""

import time
from collections.abc import Sequence
from datetime import timedelta

import asyncpg
import pytest
from structlog.testing import capture_logs

from schemas.settings import Settings
from tests.launching import World, new_world
from workers import retention
from workers.retention import Retention

HOUR = 3600
ITS_OWN = ("batches", "batch_progress", "results", "attachments", "launches")

_LAUNCHES = """
INSERT INTO launches (batch, trigger, attempt, first_item, due_at, run_at, chunk, items, profiles, done, finished_at)
VALUES ($1, $2, 0, 0, now(), now(), 0, ARRAY[0, 1], '', B'11', now())
"""
_REQUEST = """
INSERT INTO requests (token, request_id, path, body_hash, batch, expires_at) SELECT id, $2, '/', '', $1, now() + $3::interval FROM tokens
"""
_LETTER = """
INSERT INTO dead_letters (topic, partition, "offset", headers, reason, batch, item, replayed_at) VALUES ('t', 0, $2, '[]', 'any', $1, 2, $3)
"""


@pytest.fixture
async def world(tables: Settings, pool: asyncpg.Pool) -> World:
    world = await new_world(pool)
    await pool.execute("INSERT INTO tokens (account, name, hash, rights) VALUES (1, 'any', '', '{}')")
    return world


async def finished(world: World, hours: float = 25) -> bytes:
    """A batch that was accepted so long ago: two items imported and launched, one failed."""
    pool, moment = world.pool, int((time.time() - hours * HOUR) * 1000)
    made = await world.batch(3)
    batch = moment.to_bytes(6, "big") + made[6:]
    await pool.execute(
        "UPDATE batches SET id = $2, accepted_at = now() - $3::interval, published_at = now() WHERE id = $1",
        made,
        batch,
        timedelta(hours=hours),
    )
    await pool.execute("INSERT INTO batch_progress (batch, total, done, imported, failed) VALUES ($1, 3, B'111', 2, 1)", batch)
    await pool.execute(
        "INSERT INTO results (batch, chunk, items, profiles, errors, custom_data) VALUES ($1, 0, '{}', '', '{}', '{}')", batch
    )
    await pool.execute("INSERT INTO attachments (batch, position, name, mimetype, data) VALUES ($1, 0, 'a', 'b', '')", batch)
    await pool.execute(_LAUNCHES, batch, world.trigger)
    return batch


async def sweep(world: World, settings: Settings) -> None:
    await Retention(settings, world.pool).sweep()


async def left(world: World) -> list[bytes]:
    return [row["id"] for row in await world.pool.fetch("SELECT id FROM batches ORDER BY id")]


@pytest.mark.promise("P-OPS-19")
async def test_a_batch_that_is_over_goes_with_all_that_is_its_own(tables: Settings, world: World) -> None:
    await finished(world)
    await sweep(world, tables)

    assert {table: await world.pool.fetchval(f"SELECT count(*) FROM {table}") for table in ITS_OWN} == dict.fromkeys(ITS_OWN, 0)  # noqa: S608


@pytest.mark.promise("P-OPS-19", "P-STATUS-07")
async def test_a_younger_batch_is_kept(tables: Settings, world: World) -> None:
    young = await finished(world, hours=23.9)
    await finished(world)
    await sweep(world, tables)

    assert await left(world) == [young]


@pytest.mark.promise("P-OPS-19", "P-STATUS-07")
@pytest.mark.parametrize(
    ("why", "changes"),
    [
        ("an item is not answered", ["UPDATE batch_progress SET done = B'110', failed = 0"]),
        ("a launch has not ended", ["UPDATE launches SET finished_at = NULL"]),
        ("no launcher has heard of an item yet", ["UPDATE launches SET items = ARRAY[0]"]),
        ("no launcher has heard of the batch yet", ["DELETE FROM launches"]),
        (
            "an attempt counts nothing",
            [
                "INSERT INTO launches SELECT batch, trigger, 1::smallint, 0, due_at, run_at, chunk, '{1}', '', B'1' FROM launches",
                "UPDATE launches SET items = ARRAY[0] WHERE attempt = 0",
                "UPDATE launches SET finished_at = now()",
            ],
        ),
    ],
)
async def test_a_batch_with_something_to_do_is_kept(tables: Settings, world: World, why: str, changes: Sequence[str]) -> None:
    batch = await finished(world)
    for change in changes:
        await world.pool.execute(change)
    await sweep(world, tables)

    assert await left(world) == [batch]


@pytest.mark.promise("P-OPS-19")
async def test_a_batch_is_kept_while_its_request_may_be_repeated(tables: Settings, world: World) -> None:
    batch = await finished(world)
    await world.pool.execute(_REQUEST, batch, "mine", timedelta(seconds=30))
    await sweep(world, tables)
    kept = await left(world)
    await world.pool.execute("UPDATE requests SET expires_at = now()")
    await sweep(world, tables)

    assert (kept, await left(world)) == ([batch], [])
    assert await world.pool.fetchval("SELECT count(*) FROM requests") == 0


@pytest.mark.promise("P-OPS-19")
async def test_a_batch_is_kept_while_a_dead_letter_of_it_may_be_replayed(tables: Settings, world: World) -> None:
    batch = await finished(world)
    await world.pool.execute(_LETTER, batch, 1, None)
    await sweep(world, tables)
    kept = await left(world)
    await world.pool.execute("UPDATE dead_letters SET replayed_at = now()")
    await sweep(world, tables)

    assert (kept, await left(world)) == ([batch], [])


@pytest.mark.promise("P-OPS-19")
async def test_what_was_never_all_published_goes_with_its_request_id(tables: Settings, world: World) -> None:
    await finished(world)
    await world.pool.execute("UPDATE batch_progress SET done = B'110', failed = 0")
    await world.pool.execute("UPDATE batches SET published_at = NULL")
    await sweep(world, tables)

    assert await left(world) == []


async def test_replayed_dead_letters_go_after_a_day_and_the_dead_stay(tables: Settings, world: World) -> None:
    now = await world.pool.fetchval("SELECT now()")
    for offset, replayed in enumerate((None, now - timedelta(hours=23), now - timedelta(hours=25))):
        await world.pool.execute(_LETTER, None, offset, replayed)
    await sweep(world, tables)

    assert [row[0] for row in await world.pool.fetch('SELECT "offset" FROM dead_letters ORDER BY 1')] == [0, 1]


async def test_a_page_of_batches_that_stay_hides_no_later_one(tables: Settings, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retention, "PAGE", 2)
    monkeypatch.setattr(retention, "ROWS", 2)
    kept = [await finished(world, hours=40 - each) for each in range(5)]
    await world.pool.execute("UPDATE launches SET finished_at = NULL")
    await finished(world)
    for each in range(5):
        await world.pool.execute(_REQUEST, kept[0], f"r{each}", timedelta(seconds=-1))
    await sweep(world, tables)

    assert await left(world) == kept
    assert await world.pool.fetchval("SELECT count(*) FROM requests") == 0


async def test_only_one_launcher_sweeps_at_a_time(tables: Settings, world: World) -> None:
    batch = await finished(world)
    async with world.pool.acquire() as other:
        await other.execute("SELECT pg_advisory_lock(hashtextextended('retention ' || $1, 0))", tables.prefix)
        with capture_logs() as logs:
            await sweep(world, tables)
        kept = await left(world)
    await sweep(world, tables)

    assert (kept, logs, await left(world)) == ([batch], [], [])
