"""What an older release has stored is brought to the spelling of today, and found as before."""

from collections.abc import AsyncIterator
from typing import Any

import msgspec
import pytest

from profuse.migrating.tables import alone, upgrade
from runtime.postgres import open_pool
from schemas.ids import TriggerId
from schemas.settings import Settings
from tests.matching import World, item
from tests.migrating import migrate_tables

FIELDS = {
    "since": {"type": "date", "match": True, "options": []},
    "home": {"type": "ip", "match": True, "options": []},
    "likes": {"type": "tags", "match": True, "options": []},
    "name": {"type": "string", "match": True, "options": []},
    "age": {"type": "int", "match": True, "options": []},
    "born": {"type": "date", "match": False, "options": []},
}

# What the release before made of `{"since": "2026-01-01T03:00:00.5+03:00", "home": "::ffff:192.0.2.1", …}`.
DATA = {
    "since": "2026-01-01T03:00:00.5+03:00",
    "home": "::ffff:c000:201",
    "likes": ["Ham, smoked", "tea"],
    "name": "Jose\u0301",
    "age": 40,
    "born": "2000-02-03t04:05:06z",
    "_regdate": "2025-12-31T23:00:00-02:00",
    "_ip": "::ffff:c000:207",
    "email": "ada@a.test",
}
IDENTITIES = {
    1: ["ada@a.test"],
    7: [
        "3793a70a0f685634fc005fbbd1feb69a",
        "c58d5de2c2ac334c692749de75dda694",
        "f9b4c958886a6d5ceac67b2cd560e6b6",
        "fbf50e424b528aa6d2fa290077b8fe93",
    ],
}
# Of "Ham", "smoked" and "tea", in database 7.
TAGS = [-6660413445580047489, -3145019099687420600, 8318326180609864578]
ADA = bytes(range(12))
DEVICE = {"provider": "ios-apns", "subscription_id": "Ж" * 3_000}


@pytest.fixture
async def stored(settings: Settings) -> AsyncIterator[World]:
    """Tables of the release before, with one profile in them."""
    async with alone(settings) as connection:
        await upgrade(connection, "0002")
    async with await open_pool(settings, 4) as pool:
        await pool.execute("INSERT INTO accounts VALUES (1, 'demo')")
        await pool.execute(
            "INSERT INTO databases (id, account, number, name, unknown_fields, fields) OVERRIDING SYSTEM VALUE "
            "VALUES (7, 1, 1, 'any', 'keep', $1)",
            msgspec.json.encode(FIELDS).decode(),
        )
        await pool.execute("INSERT INTO profiles VALUES ($1, 7, $2, '[]')", ADA, msgspec.json.encode(DATA).decode())
        for kind, values in IDENTITIES.items():
            await pool.executemany("INSERT INTO identities VALUES (7, $1, $2, 0, $3)", [(kind, value, ADA) for value in values])
        await pool.execute("INSERT INTO profile_tags VALUES ($1, $2)", ADA, TAGS)
        world = World(pool, 7, TriggerId(0), {}, fields=FIELDS)
        yield world
        await pool.execute(f"DROP SCHEMA {settings.prefix} CASCADE")


async def found_by(world: World, name: str, value: Any) -> dict[str, Any]:
    world.trigger = world.trigger or await world.trigger_of("api_call")
    (entry,) = await world.bring([item(value)], "custom", field_name=name)
    return entry


@pytest.mark.promise("P-APPLY-18")
async def test_what_is_stored_is_spelled_as_today_and_found_as_before(stored: World, settings: Settings) -> None:
    told = await migrate_tables(settings)
    (ada,) = await stored.profiles()

    assert told[1:] == ["account 1, database 1: 1 profiles were filed by home, likes, name, since"]
    assert ada == {
        "_id": ADA.hex(),
        "since": "2026-01-01T00:00:00.500000Z",
        "home": "192.0.2.1",
        "likes": ["Ham, smoked", "tea"],
        "name": "Jose\u0301",
        "age": 40,
        "born": "2000-02-03T04:05:06Z",
        "_regdate": "2026-01-01T01:00:00Z",
        "_ip": "192.0.2.7",
        "email": "ada@a.test",
        "subscriptions": [],
    }
    for name, value in (
        ("since", "2026-01-01T00:00:00.5Z"),
        ("home", "::ffff:192.0.2.1"),
        ("likes", ["Ham, smoked", "tea"]),
        ("name", "José"),
        ("age", 40),
    ):
        assert await found_by(stored, name, value) == {"profile_id": ADA.hex()}
    assert await stored.pool.fetchval("SELECT count(*) FROM identities") == 7


@pytest.mark.promise("P-APPLY-18")
async def test_what_the_release_before_wrote_meanwhile_is_brought_along_once_more(stored: World, settings: Settings) -> None:
    await migrate_tables(settings)
    await stored.pool.execute("UPDATE profiles SET data = $1", msgspec.json.encode(DATA).decode())
    await stored.pool.execute("DELETE FROM identities WHERE kind = 7")
    await stored.pool.executemany("INSERT INTO identities VALUES (7, 7, $1, 0, $2)", [(value, ADA) for value in IDENTITIES[7]])
    told = await migrate_tables(settings, refiling=True)

    assert told == ["account 1, database 1: 1 profiles were filed by age, home, likes, name, since"]
    assert await found_by(stored, "since", "2026-01-01T00:00:00.5Z") == {"profile_id": ADA.hex()}
    assert await stored.pool.fetchval("SELECT count(*) FROM identities") == 7


@pytest.mark.promise("P-MATCH-21")
async def test_a_device_that_was_stored_before_is_found(stored: World, settings: Settings) -> None:
    given = [DEVICE | {"resource_id": 27, "channel": "push"}, {"channel": "push"}, 7]
    await stored.pool.execute("UPDATE profiles SET subscriptions = $1", msgspec.json.encode(given).decode())
    await migrate_tables(settings)
    stored.trigger = await stored.trigger_of("api_call")

    assert await stored.bring([item(DEVICE)], "push_sub") == [{"profile_id": ADA.hex()}]
