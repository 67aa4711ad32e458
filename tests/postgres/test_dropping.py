"""Whoever lets a dead letter go sees to it that its item is answered, also where a replay broke off."""

import asyncio
from collections.abc import Callable, Coroutine
from datetime import timedelta
from typing import Any

import asyncpg
import pytest

from profuse import dead_letters
from profuse.dead_letters import Wanted
from schemas.keys import match_key
from schemas.settings import Settings
from schemas.topics import IMPORTS, MATCHES
from store.dead_letters import drop
from store.erasure import erase
from tests.launching import NOBODY
from tests.matching import World, item, new_world
from workers.retention import Retention

UNPROCESSED = {"error": 400, "error_text": "Cannot be processed"}
_LETTER = """
INSERT INTO dead_letters (topic, partition, "offset", key, headers, reason, batch, item, account, created_at, replayed_at)
VALUES ($1, 0, $2, $3, '[]', 'any', $4, $5, 1, now() - interval '60 days', $6)
"""
_PROFILE = "INSERT INTO profiles (id, database, data, subscriptions) VALUES ($1, $2, '{\"email\": \"ann@drop.test\"}', '[]')"
_ANSWERED = "SELECT bit_count(done)::int, imported, failed FROM batch_progress WHERE batch = $1"


@pytest.fixture
async def world(tables: Settings, pool: asyncpg.Pool) -> World:
    return await new_world(pool)


async def letter(
    world: World, topic: str, batch: bytes | None, number: int | None, *, offset: int = 0, replayed: bool = False
) -> tuple[str, int, int]:
    key = match_key(world.database, "email", "ann@drop.test")
    moment = await world.pool.fetchval("SELECT now()") if replayed else None
    await world.pool.execute(_LETTER, topic, offset, key, batch, number, moment)
    return topic, 0, offset


async def answered(world: World, batch: bytes) -> tuple[int, int, int]:
    """Bits, imported and failed items."""
    row = await world.pool.fetchrow(_ANSWERED, batch)
    return row[0], row[1], row[2]


async def dropped(world: World, *keys: tuple[str, int, int]) -> int:
    async with world.pool.acquire() as connection, connection.transaction():
        return await drop(connection, keys)


async def _by_command(settings: Settings, _: World) -> None:
    await dead_letters.delete(settings, Wanted())


async def _expired(settings: Settings, world: World) -> None:
    await Retention(settings, world.pool).sweep()


async def _surplus(settings: Settings, world: World) -> None:
    kept = {"dead_letters_kept": timedelta(days=90), "dead_letters_limit": 0}
    await Retention(settings.model_copy(update=kept), world.pool).sweep()


async def _by_erasure(_: Settings, world: World) -> None:
    await world.pool.execute(_PROFILE, NOBODY, world.database)
    async with world.pool.acquire() as connection:
        assert await erase(connection, world.database, NOBODY)


async def _by_keys(settings: Settings, world: World) -> None:
    await dropped(world, *((settings.topic(IMPORTS.name), 0, offset) for offset in reversed(range(20))))


Deleting = Callable[[Settings, World], Coroutine[Any, Any, None]]


@pytest.mark.promise("P-OPS-42", "P-DOOR-17")
@pytest.mark.parametrize("delete", [_by_command, _expired, _surplus, _by_erasure])
async def test_an_item_that_a_replay_left_without_an_answer_gets_one_when_its_letter_goes(
    tables: Settings, world: World, delete: Deleting
) -> None:
    batch = await world.batch(3)
    for number in (1, 2):
        await letter(world, tables.topic(IMPORTS.name), batch, number, offset=number)
    await delete(tables, world)

    assert await world.pool.fetchval("SELECT count(*) FROM dead_letters") == 0
    assert (await world.entries(batch), await answered(world, batch)) == ([UNPROCESSED] * 2, (2, 0, 2))


@pytest.mark.promise("P-OPS-42")
async def test_an_answer_stays_as_it_is_when_a_letter_of_its_item_goes(tables: Settings, world: World) -> None:
    messages = await world.messages([item(email="ann@drop.test"), item("ben@drop.test", email="no address")])
    await world.apply(messages)
    batch = bytes.fromhex(messages[0].batch)
    before = await world.entries(batch), await answered(world, batch)
    keys = [await letter(world, tables.topic(IMPORTS.name), batch, number, offset=number) for number in range(2)]

    assert await dropped(world, *keys) == 2
    assert (await world.entries(batch), await answered(world, batch)) == before


@pytest.mark.promise("P-OPS-42")
async def test_an_item_of_which_two_letters_go_is_answered_once(tables: Settings, world: World) -> None:
    batch = await world.batch(1)
    keys = [await letter(world, tables.topic(IMPORTS.name), batch, 0, offset=offset) for offset in range(2)]

    assert await dropped(world, *keys) == 2
    assert (await world.entries(batch), await answered(world, batch)) == ([UNPROCESSED], (1, 0, 1))


@pytest.mark.promise("P-OPS-42")
async def test_what_is_on_the_broker_again_is_answered_by_whoever_reads_it(tables: Settings, world: World) -> None:
    batch = await world.batch(1)
    await dropped(world, await letter(world, tables.topic(IMPORTS.name), batch, 0, replayed=True))

    assert await answered(world, batch) == (0, 0, 0)


@pytest.mark.promise("P-OPS-42")
async def test_letters_of_no_item_answer_none(tables: Settings, world: World) -> None:
    batch, imports = await world.batch(1), tables.topic(IMPORTS.name)
    ugly = [(tables.topic(MATCHES.name), batch, 0), (imports, batch, 7), (imports, batch, None), (imports, NOBODY, 0), (imports, None, 0)]
    keys = [await letter(world, *each, offset=offset) for offset, each in enumerate(ugly)]

    assert (await dropped(world, *keys), await dropped(world)) == (5, 0)
    assert await answered(world, batch) == (0, 0, 0)


@pytest.mark.promise("P-OPS-42")
async def test_an_item_that_is_being_answered_while_its_letter_goes_counts_once(tables: Settings, world: World) -> None:
    """As by a matcher that reads what a replay published before it broke off."""
    messages = await world.messages([item(email="ann@drop.test"), item(email="ben@drop.test")])
    batch = bytes.fromhex(messages[0].batch)
    key = await letter(world, tables.topic(IMPORTS.name), batch, 1)
    async with world.transaction() as connection:
        await world.apply_in(connection, messages)
        dropping = asyncio.create_task(dropped(world, key))
        await _until_blocked(world, connection)

    assert await dropping == 1
    assert await answered(world, batch) == (2, 2, 0)
    assert [entry.get("error") for entry in await world.entries(batch)] == [None, None]


@pytest.mark.promise("P-OPS-42", "P-MATCH-31")
async def test_batches_are_locked_in_the_order_in_which_matchers_lock_them(tables: Settings, world: World) -> None:
    batches = sorted([await world.batch(1) for _ in range(20)])
    keys = [await letter(world, tables.topic(IMPORTS.name), each, 0, offset=at) for at, each in enumerate(reversed(batches))]
    async with world.transaction() as connection:
        await connection.execute("SELECT FROM batch_progress WHERE batch = $1 FOR UPDATE", batches[0])
        dropping = asyncio.create_task(dropped(world, *keys))
        await _until_blocked(world, connection)
        await connection.execute("SELECT FROM batch_progress WHERE batch = ANY($1) FOR UPDATE NOWAIT", batches[1:])

    assert await dropping == 20


@pytest.mark.promise("P-OPS-42")
@pytest.mark.parametrize("delete", [_by_keys, _by_erasure])
async def test_letters_are_locked_in_one_order_and_before_their_batches(tables: Settings, world: World, delete: Deleting) -> None:
    batch = await world.batch(20)
    for offset in reversed(range(20)):
        await letter(world, tables.topic(IMPORTS.name), batch, offset, offset=offset)
    async with world.transaction() as connection:
        await connection.execute('SELECT FROM dead_letters WHERE "offset" = 0 FOR UPDATE')
        dropping = asyncio.create_task(delete(tables, world))
        await _until_blocked(world, connection)
        await connection.execute('SELECT FROM dead_letters WHERE "offset" > 0 FOR UPDATE NOWAIT')
        await connection.execute("SELECT FROM batch_progress FOR UPDATE NOWAIT")

    await dropping
    assert await answered(world, batch) == (20, 0, 20)


async def _until_blocked(world: World, by: asyncpg.Connection) -> None:
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND $1 = ANY(pg_blocking_pids(pid))"
    async with asyncio.timeout(20):
        while not await world.pool.fetchval(waiting, by.get_server_pid()):
            await asyncio.sleep(0.02)
