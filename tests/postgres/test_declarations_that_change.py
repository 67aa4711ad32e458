"""Declarations change while data stays: what `apply` tells of it, and what becomes of the data."""

import asyncio
import os
import sys
from collections.abc import AsyncIterator
from pathlib import Path
from threading import Thread
from typing import Any

import pytest

from profuse.applying import apply, surveying
from runtime.postgres import open_pool
from schemas.settings import Settings
from tests.matching import HEAD, World, item, new_world

BEFORE = HEAD + 'fields = { tier = { type = "enum", options = ["gold", "legacy"], match = true } }\n'
RETIRED = BEFORE.replace(', "legacy"', ', "silver"')
LATER = HEAD + (
    'fields = { age = { type = "int", match = true }, hobbies = { type = "tags", match = true }, '
    'loyalty = { type = "string", match = true } }\n'
)
CHANGED = "account 1, database 1: changed fields"
STAYS = "it stays until an import replaces it, and is not searched by"


@pytest.fixture
async def world(tables: Settings) -> AsyncIterator[World]:
    async with await open_pool(tables, 4) as pool:
        world = await new_world(pool, unknown_fields="keep")
        await pool.execute("UPDATE databases SET fields = '{}'")
        await apply(tables, BEFORE)
        world.fields = {"tier": {"type": "enum", "options": ["gold", "legacy", "silver"]}, "loyalty": "string", "age": "int"}
        yield world


def without_memory(world: World) -> World:
    """Another matcher, which has not seen any batch yet."""
    return World(world.pool, world.database, world.trigger, world.resources, fields=world.fields)


async def told_by(settings: Settings, text: str, **how: Any) -> list[str]:
    told: list[str] = []
    await apply(settings, text, tell=told.append, **how)
    return told


@pytest.mark.promise("P-APPLY-19")
async def test_an_option_that_is_retired_is_told_with_those_who_hold_it(world: World, tables: Settings) -> None:
    await world.bring([item("ada@a.test", tier="legacy"), item("bob@a.test", tier="gold"), item("eve@a.test")])

    assert await told_by(tables, RETIRED) == [
        f"account 1, database 1, field tier: 1 profile holds legacy, which is no option any more: {STAYS}",
        CHANGED,
    ]


@pytest.mark.promise("P-APPLY-20")
async def test_who_holds_an_option_that_was_retired_is_imported_and_keeps_it(world: World, tables: Settings) -> None:
    (ada,) = await world.bring([item("ada@a.test", tier="legacy")])
    await apply(tables, RETIRED)
    later = without_memory(world)
    entries = await later.bring([item("ada@a.test", _fname="Ada"), item("bob@a.test")])
    kept = await later.profile(ada)
    await later.bring([item("ada@a.test", tier="silver")])

    assert (entries[0], kept["_fname"], kept["tier"]) == (ada, "Ada", "legacy")
    assert (await later.bring([item("silver")], "custom", field_name="tier")) == [ada]


@pytest.mark.promise("P-APPLY-16", "P-APPLY-19", "P-APPLY-20")
async def test_fields_that_are_declared_when_values_are_there_file_those_that_fit(world: World, tables: Settings) -> None:
    (ada,) = await world.bring([item("ada@a.test", age="about 40", hobbies=[1, 2], loyalty="L-1")])
    told = await told_by(tables, LATER, reindexing=True)
    later = without_memory(world)
    (entry,) = await later.bring([item("ada@a.test", _fname="Ada")])

    assert told == [
        f"account 1, database 1, field age: 1 profile holds a value that does not fit int: {STAYS}",
        "account 1, database 1, field age: 0 profiles hold a value to be found by",
        f"account 1, database 1, field hobbies: 1 profile holds a value that does not fit tags: {STAYS}",
        "account 1, database 1, field hobbies: 0 profiles hold a value to be found by",
        "account 1, database 1, field loyalty: 1 profile holds a value to be found by",
        CHANGED,
        "account 1, database 1: 1 profiles were filed by age, hobbies, loyalty",
    ]
    assert entry == ada
    assert await later.bring([item("L-1")], "custom", field_name="loyalty") == [ada]
    assert await later.profile(ada) == {
        "_id": ada["profile_id"],
        "email": "ada@a.test",
        "_fname": "Ada",
        "age": "about 40",
        "hobbies": [1, 2],
        "loyalty": "L-1",
        "subscriptions": [],
    }


@pytest.mark.promise("P-APPLY-19")
async def test_a_dry_run_tells_the_same_and_changes_nothing(world: World, tables: Settings, tmp_path: Path) -> None:
    await world.bring([item("ada@a.test", tier="legacy")])
    file = tmp_path / "retired.toml"
    file.write_text(RETIRED.replace("[[accounts.databases]]", 'tokens = [{ name = "new" }]\n[[accounts.databases]]', 1))
    before = await snapshot(world)
    running = await asyncio.create_subprocess_exec(
        *(sys.executable, "-m", "profuse", "apply", str(file), "--dry-run"),
        env={**os.environ, "PROFUSE_POSTGRES": tables.postgres, "PROFUSE_PREFIX": tables.prefix},
        stdout=asyncio.subprocess.PIPE,
    )
    shown, _ = await running.communicate()

    assert running.returncode == 0
    assert shown.decode().splitlines() == [
        f"account 1, database 1, field tier: 1 profile holds legacy, which is no option any more: {STAYS}",
        "account 1, token new: created",
        CHANGED,
        "nothing was changed: this was a dry run",
    ]
    assert await snapshot(world) == before


@pytest.mark.promise("P-APPLY-19")
async def test_of_very_many_profiles_the_first_are_counted(world: World, tables: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(surveying, "PAGE", 2)
    monkeypatch.setattr(surveying, "MOST", 4)
    await world.bring([item(f"p{number}@a.test", tier="legacy") for number in range(7)])
    told = await told_by(tables, RETIRED)

    assert told[0].startswith("account 1, database 1, field tier: at least 4 profiles hold legacy")
    assert told[1] == "account 1, database 1: only its first 4 profiles were looked at"


@pytest.mark.promise("P-APPLY-19")
async def test_what_somebody_else_applies_while_profiles_are_counted_is_asked_about_too(world: World, tables: Settings) -> None:
    await world.bring([item("ada@a.test", tier="legacy"), item("bob@a.test", tier="gold")])
    rival = BEFORE.replace('"gold", "legacy"', '"gold", "legacy", "bronze"')
    told: list[str] = []
    once = iter([Thread(target=lambda: asyncio.run(apply(tables, rival)))])

    def meanwhile(line: str) -> None:
        for thread in once:
            thread.start()
            thread.join()

    await apply(tables, RETIRED, tell=told.append, progress=meanwhile)

    assert [line.startswith("account 1, database 1, field tier: 1 profile holds legacy") for line in told] == [True, True, False]


async def snapshot(world: World) -> list[Any]:
    names = ("accounts", "tokens", "databases", "resources", "triggers", "refilings", "profiles", "identities")
    return [[tuple(row) for row in await world.pool.fetch(f"SELECT * FROM {name} ORDER BY 1")] for name in names]  # noqa: S608
