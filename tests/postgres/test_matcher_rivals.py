"""Two matchers at the same rows at the same time: nothing is doubled, lost or locked up."""

import asyncio
import random
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import pytest

from runtime.postgres import open_pool
from schemas.messages import ProfileImport
from schemas.settings import Settings
from tests.matching import World, item, new_world
from workers.exactly_once import Conflict
from workers.matcher import profiles

# Nobody counts on more rivals than that.
CONNECTIONS = 5


@pytest.fixture
async def world(tables: Settings) -> AsyncIterator[World]:
    async with await open_pool(tables, CONNECTIONS) as pool:
        yield await new_world(pool)


@asynccontextmanager
async def rival(world: World, messages: Sequence[ProfileImport]) -> AsyncIterator[None]:
    """Another matcher has applied these messages, and commits them at the end of the block."""
    async with world.transaction() as connection:
        await world.apply_in(connection, messages)
        yield


async def until_blocked(world: World, count: int = 1) -> None:
    """Wait until so many in this test's schema wait for a lock."""
    async with asyncio.timeout(20):
        while count > await world.pool.fetchval(
            "SELECT count(*) FROM pg_locks WHERE NOT granted AND pid = ANY($1::int[])", await backends(world)
        ):
            await asyncio.sleep(0.01)


async def backends(world: World) -> list[int]:
    """The processes that hold or want locks on this test's tables."""
    rows = await world.pool.fetch(
        "SELECT DISTINCT pid FROM pg_locks JOIN pg_class c ON c.oid = relation WHERE relnamespace = current_schema()::regnamespace"
    )
    return [row["pid"] for row in rows]


async def meanwhile(world: World, first: Sequence[ProfileImport], second: Sequence[ProfileImport]) -> int:
    """Apply the second while the first is not committed yet; returns how often the second was surprised."""
    surprises = 0

    async def apply() -> None:
        nonlocal surprises
        while True:
            try:
                async with world.transaction() as connection:
                    await world.apply_in(connection, second)
            except Conflict:
                surprises += 1
                continue
            return

    async with asyncio.TaskGroup() as tasks, rival(world, first):
        tasks.create_task(apply())
        await until_blocked(world)
    return surprises


async def entry(world: World, message: ProfileImport) -> dict[str, object]:
    return (await world.entries(bytes.fromhex(message.batch)))[message.item]


@pytest.mark.promise("P-MATCH-19")
@pytest.mark.parametrize(
    ("matching", "value", "field"),
    [("email", "ada@a.test", {}), ("phone", "+79000000000", {}), ("custom", "7", {"field_name": "crm"})],
)
async def test_two_that_both_saw_nobody_make_one_profile(world: World, matching: str, value: str, field: dict[str, str]) -> None:
    first, second = [await world.messages([item(value)], matching, **field) for _ in range(2)]

    surprises = await meanwhile(world, first, second)

    assert surprises == 1
    assert await entry(world, first[0]) == await entry(world, second[0])
    assert len(await world.profiles()) == 1


@pytest.mark.promise("P-MATCH-15")
async def test_two_that_race_for_an_email_by_other_match_values_leave_it_with_the_first(world: World) -> None:
    first = await world.messages([item("+79000000000", email="ada@a.test")], "phone")
    second = await world.messages([item("+79000000001", email="ada@a.test")], "phone")

    await meanwhile(world, first, second)

    assert (await entry(world, second[0]))["field"] == "email"
    assert len(await world.profiles()) == 1


@pytest.mark.promise("P-MATCH-18")
async def test_no_update_is_lost(world: World) -> None:
    (ada,) = await world.bring([item("ada@a.test", phones="+79000000000")])
    first = await world.messages([item("ada@a.test", _fname="Ada")])
    second = await world.messages([item("+79000000000", _lname="Byron")], "phone")

    await meanwhile(world, first, second)

    shown = await world.profile(ada)
    assert (shown["_fname"], shown["_lname"]) == ("Ada", "Byron")


async def test_who_waited_for_a_lock_sees_what_the_profile_is_found_by_now(world: World) -> None:
    (ada,) = await world.bring([item("ada@a.test", phones="+79000000000")])
    first = await world.messages([item("ada@a.test", phones="+79000000001")])
    second = await world.messages([item("+79000000000")], "phone")

    await meanwhile(world, first, second)

    assert await entry(world, second[0]) != ada
    assert len(await world.profiles()) == 2


async def test_who_waited_for_a_lock_finds_those_who_were_made_meanwhile(world: World) -> None:
    await world.bring([item("ada@a.test")])
    first = await world.messages([item("ada@a.test", _fname="Ada"), item("bob@a.test", phones="+79000000000")])
    second = [*await world.messages([item("ada@a.test")]), *await world.messages([item("+79000000000")], "phone")]

    surprises = await meanwhile(world, first, second)

    assert surprises == 1
    assert await entry(world, second[1]) == await entry(world, first[1])


@pytest.mark.promise("P-OPS-04", "P-BATCH-03")
async def test_an_item_that_two_matchers_apply_counts_once(world: World) -> None:
    nobody = [item("0" * 24)] * 3
    messages = await world.messages(nobody, "profile_id")

    surprises = await meanwhile(world, messages[:2], messages[1:])

    assert surprises == 1
    assert await world.pool.fetchrow("SELECT imported, failed, bit_count(done) FROM batch_progress") == (0, 3, 3)
    assert len(await world.entries(bytes.fromhex(messages[0].batch))) == 3


async def test_rivals_with_the_same_profiles_in_other_orders_do_not_lock_up(world: World) -> None:
    chance = random.Random(1)  # noqa: S311
    phones = [f"+7900000{number:04}" for number in range(200)]

    async def import_shuffled(turn: int) -> None:
        items = [item(phone, _fname=str(turn), crm=phone) for phone in chance.sample(phones, len(phones))]
        await world.apply(await world.messages(items, "phone"))

    for turn in range(5):
        await asyncio.gather(*[import_shuffled(turn) for _ in range(CONNECTIONS)])

    assert len(await world.profiles()) == len(phones)


async def test_rivals_that_come_to_hold_the_same_in_opposite_order_do_not_lock_up(world: World) -> None:
    """Both have come to the middle when it is let go, if each goes in the order of its own items."""
    phones = [f"+7900000{number:04}" for number in range(20)]
    forth, back = [await world.messages([item(phone) for phone in order], "phone") for order in (phones, phones[::-1])]
    surprises: list[Conflict] = []

    async def apply(messages: Sequence[ProfileImport]) -> None:
        try:
            async with world.transaction() as connection:
                await world.apply_in(connection, messages)
        except Conflict as surprise:
            surprises.append(surprise)

    async with asyncio.TaskGroup() as tasks, world.pool.acquire() as connection:
        holding = connection.transaction()
        await holding.start()
        await connection.execute("SET LOCAL idle_in_transaction_session_timeout = 0")
        await connection.execute("INSERT INTO identities VALUES ($1, 4, $2, 0, $3)", world.database, phones[10], bytes(12))
        tasks.create_task(apply(forth))
        await until_blocked(world)
        tasks.create_task(apply(back))
        await until_blocked(world, 2)
        await holding.rollback()

    assert len(surprises) == 1
    assert len(await world.profiles()) == len(phones)


async def test_profiles_are_locked_in_the_order_of_their_ids_whatever_the_plan(world: World) -> None:
    batch = (await world.room._batches.load(world.pool, [await world.batch(1)])).popitem()[1]
    ids = [number.to_bytes(12, "big") for number in range(200, 0, -1)]
    await world.pool.executemany("INSERT INTO profiles VALUES ($1, $2, '{}', '[]')", [(each, world.database) for each in ids])
    async with world.transaction() as connection:
        await connection.execute("SET LOCAL enable_indexscan = off")
        locked = await profiles.lock(connection, ids, {world.database: batch.database})

    assert [profile.id for profile in locked] == sorted(ids)


async def test_rivals_with_the_same_batches_do_not_lock_up_whatever_the_plan(world: World) -> None:
    """One of them walks through the table, which holds the batches backwards, and one through the index."""
    nobody = [item("0" * 24)] * 2
    pairs = [await world.messages(nobody, "profile_id") for _ in range(20)]
    async with world.transaction() as connection:
        rows = await connection.fetch("DELETE FROM batch_progress RETURNING batch, total, done")
        backwards = sorted((tuple(row) for row in rows), reverse=True)
        await connection.executemany("INSERT INTO batch_progress (batch, total, done) VALUES ($1, $2, $3)", backwards)

    async def walk(messages: Sequence[ProfileImport], *without: str) -> None:
        async with world.transaction() as connection:
            await connection.execute("SET LOCAL enable_seqscan = on")
            for way in ("bitmapscan", *without):
                await connection.execute(f"SET LOCAL enable_{way} = off")
            await world.apply_in(connection, messages)

    async with asyncio.TaskGroup() as tasks, world.transaction() as connection:
        middle = bytes.fromhex(pairs[len(pairs) // 2][0].batch)
        await connection.execute("SELECT FROM batch_progress WHERE batch = $1 FOR NO KEY UPDATE", middle)
        tasks.create_task(walk([first for first, _ in pairs], "indexscan", "nestloop", "mergejoin"))
        await until_blocked(world)
        tasks.create_task(walk([second for _, second in pairs], "seqscan"))
        await until_blocked(world, 2)

    assert await world.pool.fetchval("SELECT sum(failed) FROM batch_progress") == 2 * len(pairs)


async def test_a_batch_that_was_deleted_is_dropped(world: World) -> None:
    messages = await world.messages([item("ada@a.test"), item("bob@a.test")])
    await world.apply(messages[:1])
    await world.pool.execute("DELETE FROM batches")

    announced = await world.apply(messages[1:])

    assert announced == []
    assert len(await world.profiles()) == 1
