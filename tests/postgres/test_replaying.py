"""Dead letters are taken up again in an order that locks nobody up, and take back nobody else's answers."""

import asyncio
import copy
from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass
from typing import cast

import asyncpg
import msgspec
import pytest

from profuse.dead_letters import Wanted, delete, replaying
from profuse.dead_letters.selection import Key
from profuse.postgres import transaction
from runtime.producer import Publisher
from schemas.item_errors import CANNOT_BE_PROCESSED
from schemas.settings import Settings
from schemas.topics import IMPORTS, Outgoing
from tests.launching import new_world
from tests.retaining import until
from workers.retention import Retention

_LETTER = """
INSERT INTO dead_letters (topic, partition, "offset", headers, reason, batch, item, created_at)
VALUES ($1, 0, $2, '[]', 'any', $3, $4, now() - interval '60 days')
"""

_ANSWER = "INSERT INTO results (batch, chunk, items, profiles, errors, custom_data) VALUES ($1, 0, ARRAY[0], $2, $3, '{}')"


async def test_answers_are_taken_back_in_the_order_in_which_matchers_lock_batches(
    tables: Settings, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    taken: list[tuple[bytes, int]] = []

    async def take_back(_: object, batch: bytes, item: int) -> None:
        taken.append((batch, item))

    monkeypatch.setattr(replaying, "_take_back", take_back)
    names = [(bytes([batch]) * 12, item) for batch in (3, 2, 1) for item in (2, 1, 0)]
    for offset, (batch, item) in enumerate([*names, (None, 0), (bytes(12), None)]):
        await pool.execute(_LETTER, "t", offset, batch, item)
    async with transaction(tables) as connection:
        letters = await replaying._hold(connection, [Key("t", 0, offset) for offset in range(len(names) + 2)])
        await replaying._reopen(connection, "t", letters)

    assert (len(letters), taken) == (len(names) + 2, sorted(names))


@pytest.mark.promise("P-DOOR-17")
async def test_the_same_item_of_another_batch_keeps_its_answer(tables: Settings, pool: asyncpg.Pool) -> None:
    world = await new_world(pool)
    ours, theirs = [await world.batch(1) for _ in range(2)]
    for batch in (ours, theirs):
        await pool.execute("INSERT INTO batch_progress (batch, total, done, failed) VALUES ($1, 1, B'1', 1)", batch)
        await pool.execute(_ANSWER, batch, bytes(12), msgspec.json.encode({"0": CANNOT_BE_PROCESSED.entry()}).decode())
    async with transaction(tables) as connection:
        await replaying._take_back(connection, ours, 0)

    assert [row["batch"] for row in await pool.fetch("SELECT batch FROM results")] == [theirs]


@dataclass
class Broker:
    """Takes as long as it takes the others to do this."""

    meanwhile: Callable[[], Awaitable[object]]

    async def publish(self, _: Sequence[Outgoing]) -> None:
        await self.meanwhile()


async def replayed(settings: Settings, pool: asyncpg.Pool, meanwhile: Callable[[], Awaitable[object]]) -> bytes:
    """The batch of an item that had died, and whose letter expires."""
    world = await new_world(pool)
    batch = await world.batch(1)
    await pool.execute("INSERT INTO batch_progress (batch, total, done, failed) VALUES ($1, 1, B'1', 1)", batch)
    await pool.execute(_ANSWER, batch, bytes(12), msgspec.json.encode({"0": CANNOT_BE_PROCESSED.entry()}).decode())
    topic = settings.topic(IMPORTS.name)
    await pool.execute(_LETTER, topic, 0, batch, 0)
    await replaying._replay(settings, cast("Publisher", Broker(meanwhile)), [Key(topic, 0, 0)])
    return batch


_OPEN = "SELECT (bit_count(done)::int, failed, (SELECT count(*) FROM results)::int) FROM batch_progress WHERE batch = $1"
_WAITING = """
count(*) > 0 FROM pg_locks
WHERE NOT granted AND pg_blocking_pids(pid) && ARRAY(SELECT pid FROM pg_locks WHERE relation = 'dead_letters'::regclass)
"""
_REPLAYED = "SELECT array_agg(replayed_at IS NOT NULL) FROM dead_letters"


@pytest.mark.promise("P-DOOR-17", "P-OPS-42")
async def test_a_sweep_drops_no_letter_whose_message_is_on_its_way(tables: Settings, pool: asyncpg.Pool) -> None:
    batch = await replayed(tables, pool, Retention(tables, pool).sweep)

    assert await pool.fetchval(_REPLAYED) == [True]
    assert await pool.fetchval(_OPEN, batch) == (0, 0, 0)


@pytest.mark.promise("P-DOOR-17", "P-OPS-42")
async def test_who_drops_a_letter_whose_message_is_on_its_way_waits_and_answers_nothing(tables: Settings, pool: asyncpg.Pool) -> None:
    drops: list[asyncio.Task[int]] = []

    async def drop() -> None:
        drops.append(asyncio.create_task(delete(tables, Wanted())))
        await until(pool, _WAITING)

    batch = await replayed(tables, pool, drop)

    assert (await drops[0], await pool.fetchval(_REPLAYED)) == (1, None)
    assert await pool.fetchval(_OPEN, batch) == (0, 0, 0)


@pytest.mark.promise("P-DOOR-17")
async def test_letters_are_held_for_as_long_as_a_broker_takes(
    tables: Settings, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch
) -> None:
    options = tables.postgres_options()
    options["server_settings"] |= {"idle_in_transaction_session_timeout": "1s", "transaction_timeout": "2s"}
    monkeypatch.setattr(Settings, "postgres_options", lambda _: copy.deepcopy(options))
    batch = await replayed(tables, pool, lambda: pool.fetchval("SELECT pg_sleep(2.5)"))

    assert await pool.fetchval(_REPLAYED) == [True]
    assert await pool.fetchval(_OPEN, batch) == (0, 0, 0)
