"""Whoever touches the same rows locks them in one order, or does not wait: nobody locks up with anybody."""

import asyncio
from collections.abc import AsyncIterator, Sequence

import asyncpg
import pytest

from runtime.postgres import open_pool
from schemas.identities import holder_number
from schemas.messages import ProfileImport
from schemas.settings import Settings
from tests.matching import World, item, new_world
from workers.exactly_once import Conflict, Dead
from workers.matcher.item import Item, Outcome

PHONE = "+79000000000"
# The lowest of the ids, and the last holder that a look-up shows.
LAST, *FIRST = [number.to_bytes(4, "big") + tail.to_bytes(8, "big") for number, tail in ((1, 8), (2, 2), (3, 4))]
_PROFILE = "INSERT INTO profiles VALUES ($1, $2, jsonb_build_object('email', $3::text, 'phones', jsonb_build_array($4::text)), '[]')"
_WAITING = "SELECT count(*) FROM pg_locks WHERE NOT granted AND $1 = ANY(pg_blocking_pids(pid))"


@pytest.fixture
async def world(tables: Settings) -> AsyncIterator[World]:
    async with await open_pool(tables, 6) as pool:
        yield await new_world(pool)


async def until_waited_for(world: World, connection: asyncpg.Connection, count: int = 1) -> None:
    """Until so many wait for what this connection has locked."""
    async with asyncio.timeout(20):
        while await world.pool.fetchval(_WAITING, connection.get_server_pid()) < count:
            await asyncio.sleep(0.01)


async def sharing(world: World) -> list[ProfileImport]:
    """Three share a phone; the first two give it up, so that it means the last one, whom no look-up has shown."""
    for profile, name in zip((LAST, *FIRST), ("last", "one", "two"), strict=True):
        await world.pool.execute(_PROFILE, profile, world.database, f"{name}@a.test", PHONE)
        for row in ((1, f"{name}@a.test", 0), (4, PHONE, holder_number(profile))):
            await world.pool.execute("INSERT INTO identities VALUES ($1, $2, $3, $4, $5)", world.database, *row, profile)
    given_up = await world.messages([item(f"{name}@a.test", phones=[]) for name in ("one", "two")])
    return [*given_up, *await world.messages([item(PHONE, _fname="Last")], "phone")]


async def apply(world: World, asked: Sequence[Item | Outcome], dead: Sequence[Dead] = ()) -> None:
    async with world.transaction() as connection:
        await world.room.apply(connection, asked, dead)


async def lock(connection: asyncpg.Connection, profile: bytes) -> None:
    """At once, or not at all."""
    await connection.execute("SELECT FROM profiles WHERE id = $1 FOR NO KEY UPDATE NOWAIT", profile)


@pytest.mark.promise("P-MATCH-31")
async def test_a_profile_that_turns_out_to_be_meant_is_not_waited_for_by_who_holds_others(world: World) -> None:
    asked = await world._prepared(await sharing(world))
    async with world.transaction() as rival:
        await lock(rival, LAST)
        with pytest.raises(asyncpg.LockNotAvailableError):
            await apply(world, asked)
        # Whoever tries again knows it, and waits for it before taking those that come after it.
        async with asyncio.TaskGroup() as tasks, world.transaction() as other:
            tasks.create_task(apply(world, asked))
            await until_waited_for(world, rival)
            await lock(other, FIRST[0])
            await rival.execute("ROLLBACK")
        await rival.execute("BEGIN")

    assert [profile.get("_fname") for profile in await world.profiles()] == ["Last", None, None]


async def test_who_is_gone_and_turns_out_to_be_meant_is_nobody(world: World) -> None:
    messages = await sharing(world)
    await world.pool.execute("DELETE FROM profiles WHERE id = $1", LAST)
    async with asyncio.timeout(20):
        await world.apply(messages)

    assert [profile.get("_fname") for profile in await world.profiles()] == [None, None, "Last"]


@pytest.mark.promise("P-MATCH-31")
async def test_an_identity_is_not_let_go_of_before_all_others_are_taken(world: World) -> None:
    """One takes a@, lets z@ go and takes 0@ first; another, who saw neither a@ nor z@ held, takes both."""
    (x,) = await world.bring([item("x@a.test")])
    taking = await world.messages([item("a@a.test"), item("z@a.test"), item("x@a.test", _fname="X")])
    letting_go = await world.messages([item("0@a.test"), item("z@a.test", email="a@a.test")])

    async with asyncio.TaskGroup() as tasks, world.transaction() as first, world.transaction() as second, world.transaction() as third:
        await lock(first, bytes.fromhex(x["profile_id"]))
        tasks.create_task(world.apply(taking))
        await until_waited_for(world, first)
        await world.bring([item("z@a.test")])
        await second.execute("INSERT INTO identities VALUES ($1, 1, '0@a.test', 0, $2)", world.database, bytes(12))
        done = tasks.create_task(again(world, third, letting_go))
        await until_waited_for(world, second)
        await first.execute("ROLLBACK; BEGIN")
        await until_waited_for(world, third)
        await second.execute("ROLLBACK; BEGIN")
        await done

    assert sorted(profile["email"] for profile in await world.profiles()) == ["0@a.test", "a@a.test", "x@a.test", "z@a.test"]


async def again(world: World, connection: asyncpg.Connection, messages: Sequence[ProfileImport]) -> None:
    await world.apply_in(connection, messages)
    await connection.execute("COMMIT; BEGIN")


@pytest.mark.promise("P-MATCH-31")
async def test_the_batches_of_dead_letters_are_locked_with_all_others_in_one_order(world: World) -> None:
    dead, living = sorted([await world.messages([item("ada@a.test")]) for _ in range(2)], key=lambda each: each[0].batch)
    asked = await world._prepared(living)
    lock_batch = "SELECT FROM batch_progress WHERE batch = $1 FOR NO KEY UPDATE NOWAIT"

    async with asyncio.TaskGroup() as tasks, world.transaction() as rival:
        await rival.execute(lock_batch, bytes.fromhex(dead[0].batch))
        tasks.create_task(apply(world, asked, [Dead("imports", 0, 0, "any", bytes.fromhex(dead[0].batch), 0)]))
        await until_waited_for(world, rival)
        await rival.execute(lock_batch, bytes.fromhex(living[0].batch))

    assert await world.pool.fetchval("SELECT sum(imported + failed) FROM batch_progress") == 2


async def test_an_email_that_somebody_else_holds_meanwhile_is_a_surprise(world: World) -> None:
    (ada,) = await world.bring([item("ada@a.test")])
    asked = await world._prepared(await world.messages([item("ada@a.test", email="bob@a.test")]))

    async with asyncio.TaskGroup() as tasks, world.transaction() as rival:
        await lock(rival, bytes.fromhex(ada["profile_id"]))
        refused = tasks.create_task(surprised(world, asked))
        await until_waited_for(world, rival)
        await world.bring([item("bob@a.test")])

    assert await refused


async def surprised(world: World, asked: Sequence[Item | Outcome]) -> bool:
    try:
        await apply(world, asked)
    except Conflict:
        return True
    return False
