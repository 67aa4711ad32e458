"""A field becomes one to match by while profiles exist and imports go on."""

import asyncio
import os
import random
import signal
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any

import msgspec
import pytest

from profuse.applying import apply, refiling
from runtime.postgres import open_pool
from schemas.fields import Field, declared
from schemas.identities import identities_of
from schemas.settings import Settings
from tests.matching import HEAD, World, item, new_world

BEFORE = HEAD + 'fields = { loyalty = "string", hobbies = "tags", plan = { type = "enum", options = ["free", "pro"] } }\n'
ONE = BEFORE.replace('loyalty = "string"', 'loyalty = { type = "string", match = true }')
AFTER = HEAD + (
    'fields = { loyalty = { type = "string", match = true }, hobbies = { type = "tags", match = true }, '
    'plan = { type = "enum", options = ["free", "pro"], match = true }, age = { type = "int", match = true } }\n'
)

WAITING = """
    SELECT EXISTS (SELECT FROM pg_stat_activity WHERE query LIKE 'SELECT EXISTS (SELECT FROM pg_locks WHERE virtualtransaction%')
"""


@pytest.fixture
async def world(tables: Settings) -> AsyncIterator[World]:
    async with await open_pool(tables, 6) as pool:
        world = await new_world(pool, unknown_fields="keep")
        await pool.execute("UPDATE databases SET fields = '{}'")
        await apply(tables, BEFORE)
        world.fields = {"loyalty": "string", "hobbies": "tags", "plan": {"type": "enum", "options": ["free", "pro"]}, "age": "int"}
        yield world


async def found_by(world: World, name: str, value: str) -> dict[str, Any]:
    """The entry of an item that is matched by a field."""
    (entry,) = await world.bring([item(value)], "custom", field_name=name)
    return entry


async def fields_of(world: World) -> dict[str, Field]:
    return declared(msgspec.json.decode(await world.pool.fetchval("SELECT fields::text FROM databases")), ())


async def assert_filed_exactly(world: World) -> None:
    """The index holds what the profiles' data says, once each, and nothing else."""
    fields = await fields_of(world)
    rows = await world.pool.fetch("SELECT id, data::text, subscriptions::text FROM profiles")
    said = sorted(
        (int(kind), value, bytes(row["id"]))
        for row in rows
        for kind, value in identities_of(fields, msgspec.json.decode(row["data"]), msgspec.json.decode(row["subscriptions"]))
    )
    held = await world.pool.fetch("SELECT kind, value, profile FROM identities ORDER BY 1, 2, 3")

    assert [tuple(row) for row in held] == said


async def begin(world: World) -> None:
    """As `apply --reindex` that was killed at once."""
    await world.pool.execute('UPDATE databases SET fields = jsonb_set(fields, \'{loyalty}\', \'{"type": "string", "match": true}\')')
    await world.pool.execute("INSERT INTO refilings (database, fields, swept_value) SELECT id, '{loyalty}', '' FROM databases")


@pytest.mark.promise("P-APPLY-16")
async def test_profiles_that_were_there_before_are_found(world: World, tables: Settings) -> None:
    (ada,) = await world.bring([item("ada@a.test", loyalty="L-1", hobbies=["chess", "tea"], plan="pro", age=40)])
    told: list[str] = []
    await apply(tables, AFTER, reindexing=True, tell=told.append)

    assert told[-2:] == [
        "account 1, database 1: changed fields",
        "account 1, database 1: 1 profiles were filed by age, hobbies, loyalty, plan",
    ]
    for name, value in (("loyalty", "L-1"), ("hobbies", "tea, chess"), ("plan", "1"), ("age", "40")):
        assert await found_by(world, name, value) == ada
    await assert_filed_exactly(world)


@pytest.mark.promise("P-APPLY-15")
async def test_until_profiles_are_filed_nobody_is_matched_by_the_field(world: World, tables: Settings) -> None:
    await world.bring([item("ada@a.test", loyalty="L-1")])
    await begin(world)

    assert await found_by(world, "loyalty", "L-1") == {"error": 409, "error_text": "Field is being indexed", "field": "loyalty"}


@pytest.mark.promise("P-APPLY-16")
async def test_a_matcher_that_knows_the_declaration_of_before_is_waited_for(world: World, tables: Settings) -> None:
    messages = await world.messages([item("ada@a.test", loyalty="L-1")])
    async with asyncio.TaskGroup() as tasks, world.transaction() as connection:
        await world.apply_in(connection, messages)
        applying = tasks.create_task(apply(tables, AFTER, reindexing=True))
        async with asyncio.timeout(20):
            while not applying.done() and not await world.pool.fetchval(WAITING):
                await asyncio.sleep(0.01)

    await assert_filed_exactly(world)


@pytest.mark.promise("P-APPLY-16")
async def test_a_batch_that_came_before_the_change_is_filed_by_the_new_declaration(world: World, tables: Settings) -> None:
    messages = await world.messages([item("ada@a.test", loyalty="L-1"), item("bob@a.test", loyalty="L-2")])
    await world.apply(messages[:1])
    await apply(tables, AFTER, reindexing=True)
    await world.apply(messages[1:])

    await assert_filed_exactly(world)


@pytest.mark.promise("P-APPLY-16")
async def test_what_changed_while_nobody_kept_the_index_is_not_found_by_what_it_was(world: World, tables: Settings) -> None:
    await apply(tables, AFTER)
    await world.bring([item("L-1", email="ada@a.test"), item("L-2", email="bob@a.test")], "custom", field_name="loyalty")
    await apply(tables, BEFORE)
    await world.bring([item("ada@a.test", loyalty="L-3"), item("bob@a.test", hobbies=["tea"])])
    await apply(tables, AFTER, reindexing=True)

    await assert_filed_exactly(world)


@pytest.mark.promise("P-APPLY-16")
async def test_what_a_profile_becomes_again_while_it_is_being_filed_is_filed_once(world: World, tables: Settings) -> None:
    await apply(tables, AFTER)
    await world.bring([item("L-1", email="ada@a.test")], "custom", field_name="loyalty")
    await apply(tables, BEFORE)
    await world.bring([item("ada@a.test", loyalty="L-2")])
    await begin(world)
    await world.bring([item("ada@a.test", loyalty="L-1")])

    assert await world.pool.fetchval("SELECT count(*) FROM identities WHERE kind = 7") == 1


@pytest.mark.promise("P-APPLY-15", "P-APPLY-16")
async def test_imports_storm_on_while_profiles_are_filed(world: World, tables: Settings) -> None:
    chance = random.Random(9)  # noqa: S311
    everybody = [f"p{number}@a.test" for number in range(3_000)]
    await world.bring([some(chance, email) for email in everybody])
    done = asyncio.Event()

    async def storm() -> None:
        while not done.is_set():
            await world.bring(
                [some(chance, email) for email in chance.sample(everybody, 100)] + [some(chance, f"{chance.random()}@b.test")]
            )

    async with asyncio.TaskGroup() as tasks:
        storms = [tasks.create_task(storm()) for _ in range(3)]
        for file in (AFTER, BEFORE, AFTER):
            await apply(tables, file, reindexing=True)
        done.set()

    assert all(storm.done() for storm in storms)
    await assert_filed_exactly(world)


@pytest.mark.promise("P-APPLY-15")
async def test_who_is_killed_in_the_middle_goes_on_from_there(world: World, tables: Settings, tmp_path: Path) -> None:
    await world.bring([some(random.Random(1), f"p{number}@a.test") for number in range(refiling.PAGE + 100)])  # noqa: S311
    (tmp_path / "after.toml").write_text(AFTER)
    environment = {"PROFUSE_POSTGRES": tables.postgres, "PROFUSE_PREFIX": tables.prefix, "PROFUSE_CRASH_AT": "refile:filed"}
    killed = await asyncio.create_subprocess_exec(
        sys.executable, "-m", "profuse", "apply", str(tmp_path / "after.toml"), "--reindex", env={**os.environ, **environment}
    )
    code = await killed.wait()
    told: list[str] = []
    await apply(tables, AFTER, tell=told.append)
    changed = await apply(tables, AFTER, reindexing=True, tell=told.append)

    assert (code, changed) == (-signal.SIGKILL, [])
    assert told == [
        "account 1, database 1: still being indexed: age, hobbies, loyalty, plan; `profuse apply --reindex` goes on with it",
        "account 1, database 1: 100 profiles were filed by age, hobbies, loyalty, plan",
    ]
    await assert_filed_exactly(world)


def some(chance: random.Random, email: str) -> dict[str, Any]:
    """An item that gives, takes away or leaves what is being filed."""
    data: dict[str, Any] = {}
    for name, values in (
        ("loyalty", ["L-1", "L-2", f"L-{chance.random()}", None]),
        ("hobbies", [["tea"], ["tea", "chess"], [], None]),
        ("plan", ["free", "pro", None]),
    ):
        if chance.random() < 0.6:
            data[name] = chance.choice(values)
    return item(email, **data)


@pytest.mark.promise("P-APPLY-17")
async def test_an_option_that_was_retired_and_replaced_is_not_what_its_profile_is_found_by_when_it_comes_back(
    world: World, tables: Settings
) -> None:
    await apply(tables, AFTER)
    (ada, bob) = await world.bring([item("ada@a.test", plan="pro"), item("bob@a.test", plan="pro")])
    await apply(tables, AFTER.replace('"free", "pro"', '"free", "team"'))
    forgotten = World(world.pool, world.database, world.trigger, world.resources)
    await forgotten.bring([item("ada@a.test", plan="team"), item("bob@a.test", loyalty="L-1")])
    await apply(tables, AFTER.replace('"free", "pro"', '"free", "pro", "team"'))

    assert await found_by(world, "plan", "pro") == bob
    assert ada != bob
    await assert_filed_exactly(world)


@pytest.mark.promise("P-APPLY-16")
async def test_two_who_file_at_once_by_different_fields_leave_nobody_out(
    world: World, tables: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(refiling, "PAGE", 20)
    await world.bring([some(random.Random(2), f"p{number}@a.test") for number in range(400)])  # noqa: S311
    begun = asyncio.Event()

    async def by_one() -> None:
        await apply(tables, ONE, reindexing=True, progress=lambda line: begun.set())

    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(by_one())
        await begun.wait()
        tasks.create_task(apply(tables, AFTER, reindexing=True))

    assert await world.pool.fetchval("SELECT count(*) FROM refilings") == 0
    await assert_filed_exactly(world)


class _Interrupted(Exception):
    pass


@pytest.mark.promise("P-APPLY-16")
async def test_a_field_that_joins_those_being_indexed_lets_the_first_profiles_be_filed_again(
    world: World, tables: Settings, monkeypatch: pytest.MonkeyPatch
) -> None:
    def interrupt(line: str) -> None:
        if "are filed" in line and not line.split(": ")[1].startswith("0 "):
            raise _Interrupted

    monkeypatch.setattr(refiling, "PAGE", 20)
    await world.bring([item(f"p{number}@a.test", loyalty="L-1", hobbies=["tea"], plan="pro") for number in range(50)])
    with pytest.raises(_Interrupted):
        await apply(tables, ONE, reindexing=True, progress=interrupt)
    await apply(tables, AFTER, reindexing=True)

    await assert_filed_exactly(world)


@pytest.mark.promise("P-APPLY-16")
async def test_who_files_by_fewer_fields_than_are_declared_by_now_stops(world: World) -> None:
    await world.bring([item("ada@a.test", loyalty="L-1")])
    await begin(world)
    await world.pool.execute("UPDATE refilings SET turn = 2, swept_value = NULL")

    assert await refiling._page(world.pool, world.database, 1) is None
    assert await refiling._page(world.pool, world.database, 2) == 1


@pytest.mark.promise("P-APPLY-16")
async def test_an_item_whose_field_is_not_matched_by_any_more_finds_nobody_by_what_nobody_keeps(world: World, tables: Settings) -> None:
    await apply(tables, AFTER)
    (messages, later) = [
        await world.messages([item("L-1", email="ada@a.test"), item("L-1", _fname="Bob")], "custom", field_name="loyalty") for _ in range(2)
    ]
    await world.apply([messages[0], later[0]])
    await apply(tables, BEFORE)
    await world.bring([item("ada@a.test", loyalty="L-2")])
    await world.apply([messages[1], later[1]])

    assert (await world.entries(bytes.fromhex(messages[0].batch)))[1] == {
        "error": 400,
        "error_text": "Field is not matched by",
        "field": "loyalty",
    }
    assert len(await world.profiles()) == 1
