"""What the order of a chunk's items decides, and that a chunk means the same as its items one by one."""

import asyncio
import random
from typing import Any

import asyncpg
import pytest

from schemas.settings import Settings
from tests.matching import Json, World, item, new_world, subscription

AMBIGUOUS = {"error": 409, "error_text": "More than one profile matches"}


@pytest.fixture
async def world(tables: Settings, pool: asyncpg.Pool) -> World:
    return await new_world(pool)


@pytest.mark.promise("P-MATCH-16", "P-MATCH-18", "P-MATCH-20")
async def test_items_of_one_profile_are_applied_in_order_and_each_has_its_result(world: World) -> None:
    entries = await world.bring([item("ada@a.test", _fname="first", _city="Riga"), item("ada@a.test", _fname="second", _region="Vidzeme")])

    assert entries[0] == entries[1]
    shown = await world.profile(entries[0])
    assert (shown["_fname"], shown["_city"], shown["_region"]) == ("second", "Riga", "Vidzeme")


async def test_an_item_finds_what_an_item_before_it_made_by_each_identity(world: World) -> None:
    given: Json = {"phones": ["+79000000000"], "crm": "7", "subscriptions": [subscription(24, email="also@a.test")]}
    created, *found = await world.bring([item("ada@a.test", **given), item("also@a.test"), item("ada@a.test")])
    by_phone = await world.bring([item("+79000000001", phones=["+79000000002"]), item("+79000000002")], "phone")

    assert found == [created] * 2
    assert by_phone[0] == by_phone[1]


async def test_an_item_does_not_find_what_an_item_before_it_took_away(world: World) -> None:
    (old,) = await world.bring([item("+79000000000")], "phone")
    moved, fresh = await world.bring([item("+79000000000", phones=["+79000000001"]), item("+79000000000")], "phone")

    assert moved == old
    assert fresh != old


async def test_an_email_can_be_passed_on_within_a_chunk(world: World) -> None:
    ada, bob = await world.bring([item("ada@a.test"), item("bob@a.test")])

    swapped = await world.bring(
        [item("ada@a.test", email="x@a.test"), item("bob@a.test", email="ada@a.test"), item("x@a.test", email="bob@a.test")]
    )

    assert swapped == [ada, bob, ada]
    assert [(await world.profile(each))["email"] for each in (ada, bob)] == ["bob@a.test", "ada@a.test"]


async def test_two_new_ones_that_come_to_share_a_value_are_ambiguous_for_the_next(world: World) -> None:
    *_, last = await world.bring([item("+79000000000"), item("+79000000001", phones=["+79000000000"]), item("+79000000000")], "phone")

    assert last == AMBIGUOUS


async def test_a_value_that_a_new_one_gave_up_and_took_back_is_shared_too(world: World) -> None:
    batch = [
        *await world.messages([item("+79000000000", crm="new")], "phone"),
        *await world.messages([item("new", phones=[])], "custom", field_name="crm"),
        *await world.messages([item("+79000000000")], "phone"),
        *await world.messages([item("new", phones=["+79000000000"])], "custom", field_name="crm"),
    ]

    async with asyncio.timeout(10):
        await world.apply(batch)

    assert await world.pool.fetchval("SELECT count(*) FROM identities WHERE value = '+79000000000'") == 2


async def test_a_value_given_up_taken_by_another_and_taken_back_is_shared(world: World) -> None:
    (old,) = await world.bring([item("+79000000000", crm="old")], "phone")
    batch = [
        *await world.messages([item("old", phones=[])], "custom", field_name="crm"),
        *await world.messages([item("+79000000000")], "phone"),
        *await world.messages([item("old", phones=["+79000000000"])], "custom", field_name="crm"),
        *await world.messages([item("+79000000000")], "phone"),
    ]

    async with asyncio.timeout(10):
        await world.apply(batch)

    entries = [(await world.entries(bytes.fromhex(message.batch)))[0] for message in batch]
    assert [entries[0], entries[2], entries[3]] == [old, old, AMBIGUOUS]


async def test_a_holder_beyond_those_looked_up_is_found_when_they_let_go(world: World) -> None:
    names = ("ada", "bob", "carol")
    entries = await world.bring([item(f"{name}@a.test", phones=["+79000000000"]) for name in names])
    last = await world.pool.fetchval("SELECT profile FROM identities WHERE value = '+79000000000' ORDER BY n DESC LIMIT 1")
    others = [name for name, entry in zip(names, entries, strict=True) if entry["profile_id"] != last.hex()]
    batch = [
        *await world.messages([item(f"{name}@a.test", phones=[]) for name in others]),
        *await world.messages([item("+79000000000")], "phone"),
    ]

    await world.apply(batch)

    assert await world.entries(bytes.fromhex(batch[-1].batch)) == [{"profile_id": last.hex()}]


async def test_a_repeat_inside_a_chunk_counts_once(world: World) -> None:
    messages = await world.messages([item("ada@a.test"), item("bob@a.test")])

    await world.apply([*messages, *messages])

    assert len(await world.entries(bytes.fromhex(messages[0].batch))) == 2
    assert await world.pool.fetchval("SELECT imported FROM batch_progress") == 2


def random_batch(chance: random.Random) -> tuple[list[Json], dict[str, Any]]:
    """A few items over few values, so that nearly all of them meet."""
    emails = [f"{name}@a.test" for name in "abc"]
    phones = [f"+7900000000{last}" for last in range(3)]
    tags = ["art", "math", "sea"]
    matching = chance.choice(["email", "email_profile", "phone", "crm", "interests"])
    values = {"phone": phones, "crm": ["1", "2"], "interests": ["art", "art, math", "sea"]}.get(matching, emails)

    def data() -> Json:
        given: Json = {
            "email": chance.choice(emails),
            "phones": chance.sample(phones, chance.randrange(3)),
            "crm": chance.choice(["1", 2, None]),
            "interests": chance.sample(tags, chance.randrange(4)),
            "_fname": chance.choice("xyz"),
            "subscriptions": chance.choice(
                [None, [subscription(24, email=chance.choice(emails))], [subscription(25, phone=chance.choice(phones), priority=1)]]
            ),
        }
        return {name: given[name] for name in chance.sample(sorted(given), chance.randrange(4))}

    items = [item(chance.choice(values), **data()) for _ in range(chance.randrange(1, 7))]
    if matching in ("crm", "interests"):
        return items, {"matching": "custom", "field_name": matching}
    return items, {"matching": matching}


@pytest.mark.promise("P-MATCH-16", "P-MATCH-18")
@pytest.mark.parametrize("seed", range(6))
async def test_a_chunk_means_the_same_as_its_items_one_by_one(world: World, seed: int) -> None:
    chance = random.Random(seed)  # noqa: S311
    together = await other_database(world)
    for _ in range(10):
        batches = [random_batch(chance) for _ in range(3)]
        whole = [message for items, settings in batches for message in await together.messages(items, **settings)]
        single = [message for items, settings in batches for message in await world.messages(items, **settings)]

        await together.apply(whole)
        for message in single:
            await world.apply([message])

        assert await shape(together, [message.batch for message in whole]) == await shape(world, [message.batch for message in single])
        assert await stored(together) == await stored(world)


async def other_database(world: World) -> World:
    """A twin that shares no profile."""
    await world.pool.execute("INSERT INTO accounts (id, name) VALUES (2, 'other')")
    number = await world.pool.fetchval(
        "INSERT INTO databases (account, number, name, unknown_fields, fields) "
        "SELECT 2, 1, name, unknown_fields, fields FROM databases RETURNING id"
    )
    await world.pool.execute(
        "INSERT INTO resources (account, number, name, channel, database) SELECT 2, number, name, channel, $1 FROM resources", number
    )
    return World(world.pool, number, world.trigger, world.resources)


async def shape(world: World, batches: list[str]) -> list[Json]:
    """The entries, with ids replaced by the order in which they are first seen."""
    entries = [entry for batch in dict.fromkeys(batches) for entry in await world.entries(bytes.fromhex(batch))]
    names: dict[str, int] = {}
    for entry in entries:
        if "profile_id" in entry:
            entry["profile_id"] = names.setdefault(entry["profile_id"], len(names))
    return entries


async def stored(world: World) -> list[tuple[str, str, list[str]]]:
    """The database's profiles without their ids, and what each is found by."""
    rows = await world.pool.fetch(
        """
        SELECT data::text, subscriptions::text,
               array(SELECT kind || ' ' || value FROM identities i WHERE i.profile = p.id ORDER BY kind, value) AS identities
        FROM profiles p WHERE database = $1 ORDER BY 1, 2, 3
        """,
        world.database,
    )
    return [(row["data"], row["subscriptions"], row["identities"]) for row in rows]
