"""An erased profile leaves its bare id behind, and nothing else."""

import asyncio
import json

import asyncpg
import pytest

from schemas.keys import match_key
from schemas.settings import Settings
from store import erasure
from store.erasure import erase, strip
from tests.matching import Json, World, item, new_world, subscription
from workers.retention import Retention

ANN: Json = {"email": "ann@erase.test", "phones": ["+79000000001"], "crm": "A-1", "interests": ["secret"], "_fname": "Ann"}
NEWS = subscription(24, channel="email", email="news@erase.test")
_LETTER = """
INSERT INTO dead_letters (topic, partition, "offset", key, value, headers, reason, batch, item, account)
VALUES ('imports', 0, $1, $2, 'ann@erase.test', '[]', 'any', $3, $4, $5)
"""
_EVERYWHERE = ("profiles", "identities", "results", "dead_letters", "erasures", "launches")


@pytest.fixture
async def world(tables: Settings, pool: asyncpg.Pool) -> World:
    return await new_world(pool)


async def imported(world: World) -> tuple[bytes, bytes]:
    """Ann, whose items brought something, in a batch with others; and the batch."""
    asked = [
        item(custom_data={"secret": 1}, **ANN, subscriptions=[NEWS]),
        item(custom_data={"kept": 2}, email="bob@erase.test"),
        item(custom_data={"secret": 3}, email="ann@erase.test"),
        item(custom_data={"kept": 4}, email="not an address"),
    ]
    messages = await world.messages(asked[:3])
    await world.apply(messages)
    batch = bytes.fromhex(messages[0].batch)
    ann, *_ = await world.entries(batch)
    return bytes.fromhex(ann["profile_id"]), batch


async def erased(world: World, profile: bytes) -> bool:
    async with world.pool.acquire() as connection:
        found = await erase(connection, world.database, profile)
        if found:
            await strip(connection, profile)
        return found


async def text_of(world: World) -> str:
    """All that the tables hold."""
    rows = [row[0] for table in _EVERYWHERE for row in await world.pool.fetch(f"SELECT t::text FROM {table} t")]  # noqa: S608
    return "\n".join(rows)


@pytest.mark.promise("P-ERASE-01")
async def test_nothing_but_the_id_is_left_and_others_keep_what_is_theirs(world: World) -> None:
    ann, batch = await imported(world)
    before = await world.entries(batch)
    await erased(world, ann)
    left = await text_of(world)

    assert [word for word in ("ann@", "news@", "+7900", "secret", "Ann") if word in left] == []
    assert await world.entries(batch) == before
    assert [profile["email"] for profile in await world.profiles()] == ["bob@erase.test"]
    assert json.loads(await world.pool.fetchval("SELECT custom_data::text FROM results")) == {"1": {"kept": 2}}
    assert await world.pool.fetchval("SELECT count(*) FROM identities") == 1


@pytest.mark.promise("P-ERASE-01")
async def test_identities_of_a_field_that_is_searched_by_no_more_go_too(world: World) -> None:
    ann, _ = await imported(world)
    await world.pool.execute("""UPDATE databases SET fields = fields || '{"crm": {"type": "string"}}'""")
    await erased(world, ann)

    assert await world.pool.fetchval("SELECT count(*) FROM identities WHERE profile = $1", ann) == 0


@pytest.mark.promise("P-ERASE-01")
@pytest.mark.parametrize("came_first", [True, False])
async def test_others_who_hold_the_same_values_keep_them(world: World, came_first: bool) -> None:
    alike = item(
        "news@erase.test" if came_first else None,
        email="other@erase.test",
        subscriptions=[NEWS],
        phones=["+79000000001"],
        interests=["secret"],
    )
    # Who is first to be found by a value holds it by another number.
    (other,) = await world.bring([alike]) if came_first else [{}]
    ann, _ = await imported(world)
    (other,) = [other] if came_first else await world.bring([alike])
    theirs = "SELECT * FROM identities WHERE profile <> $1 ORDER BY kind, value, n"
    before = await world.pool.fetch(theirs, ann)
    await erased(world, ann)
    after = await world.pool.fetch(theirs, ann)
    (found,) = await world.bring([item("news@erase.test", email="other@erase.test")])
    (by_phone,) = await world.bring([item("+79000000001")], "phone")

    assert (found, by_phone, after) == (other, other, before)


@pytest.mark.promise("P-ERASE-02")
async def test_dead_letters_that_mean_it_go(world: World) -> None:
    ann, batch = await imported(world)
    key, database = match_key(world.database, "email", "ann@erase.test"), world.database
    letters = {
        "by its e-mail": (key, None, None, 1),
        "by its subscription": (match_key(database, "email", "news@erase.test"), None, None, 1),
        "by its phone": (match_key(database, "phone", "+79000000001"), None, None, 1),
        "by its id": (match_key(database, "id", ann.hex()), None, None, 1),
        "by its field": (match_key(database, "field/crm", "A-1"), None, None, 1),
        "of nobody that is known": (key, None, None, 0),
        "replayed, and it became this": (b"any", batch, 2, 1),
    }
    others = {
        "somebody else's": (match_key(database, "email", "bob@erase.test"), batch, 1, 1),
        "alike in another database": (match_key(database + 1, "email", "ann@erase.test"), None, None, 1),
        "of another account": (key, None, None, 2),
    }
    for offset, letter in enumerate((*letters.values(), *others.values())):
        await world.pool.execute(_LETTER, offset, *letter)
    await erased(world, ann)
    left = await world.pool.fetch('SELECT "offset" FROM dead_letters ORDER BY 1')

    assert [row[0] - len(letters) for row in left] == list(range(len(others)))


@pytest.mark.promise("P-ERASE-03")
async def test_items_that_are_applied_afterwards_make_a_new_profile(world: World) -> None:
    ann, _ = await imported(world)
    await erased(world, ann)
    (entry,) = await world.bring([item(email="ann@erase.test", _fname="New")])

    assert entry["profile_id"] != ann.hex()
    assert (await world.profile(entry))["_fname"] == "New"


@pytest.mark.promise("P-ERASE-01")
async def test_a_profile_of_another_database_is_none(world: World) -> None:
    ann, _ = await imported(world)
    async with world.pool.acquire() as connection:
        found = await erase(connection, world.database + 1, ann)

    assert (found, await world.pool.fetchval("SELECT count(*) FROM profiles")) == (False, 2)


@pytest.mark.promise("P-ERASE-01")
async def test_it_is_all_of_it_or_nothing(world: World) -> None:
    ann, _ = await imported(world)
    await world.pool.execute("ALTER TABLE erasures RENAME TO mislaid")
    before = await world.profiles(), await world.pool.fetch("SELECT * FROM identities ORDER BY kind, value")
    with pytest.raises(asyncpg.UndefinedTableError):
        await erased(world, ann)

    assert (await world.profiles(), await world.pool.fetch("SELECT * FROM identities ORDER BY kind, value")) == before


@pytest.mark.promise("P-ERASE-01")
async def test_it_waits_for_an_import_that_is_under_way_and_erases_what_that_brought(world: World) -> None:
    ann, _ = await imported(world)
    messages = await world.messages([item(email="ann@erase.test", phones=["+79000000009"], custom_data={"secret": 9})])
    async with world.transaction() as importing:
        await world.apply_in(importing, messages)
        erasing_ = asyncio.create_task(erased(world, ann))
        async with asyncio.timeout(20):
            while not await world.pool.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted"):
                await asyncio.sleep(0.01)
    await erasing_

    assert [word for word in ("+79000000009", "secret", "ann@") if word in await text_of(world)] == []


@pytest.mark.promise("P-ERASE-04")
async def test_what_a_door_that_died_left_is_finished(tables: Settings, world: World) -> None:
    ann, _ = await imported(world)
    async with world.pool.acquire() as connection:
        await erase(connection, world.database, ann)
    await Retention(tables, world.pool).sweep()
    too_early = "secret" in await text_of(world)
    await world.pool.execute("UPDATE erasures SET asked_at = now() - interval '2 minutes'")
    await Retention(tables, world.pool).sweep()

    assert (too_early, "secret" in await text_of(world)) == (True, False)
    assert await world.pool.fetchval("SELECT count(*) FROM erasures") == 0


@pytest.mark.promise("P-ERASE-01")
async def test_a_walk_through_many_results_misses_none(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(erasure, "PAGE", 2)
    ann, _ = await imported(world)
    for number in range(7):
        await world.bring(
            [item(email="ann@erase.test" if number % 2 else f"{number}@erase.test", custom_data={"secret" if number % 2 else "kept": 1})]
        )
    await erased(world, ann)

    assert "secret" not in await text_of(world)
    assert await world.pool.fetchval("SELECT count(*) FROM results WHERE custom_data::text <> '{}'") == 5
