"""Profiles whose rows somebody has deleted: the index that still names them stops nobody."""

from typing import Any

import asyncpg
import pytest

from schemas.settings import Settings
from tests.matching import Json, World, item, new_world, subscription

ADA: Json = {"phones": ["+79000000000"], "crm": "7", "interests": ["art"], "subscriptions": [subscription(24, email="sub@a.test")]}
WAYS: dict[str, tuple[str | int, str, dict[str, Any]]] = {
    "email": ("ada@a.test", "email", {}),
    "subscription": ("sub@a.test", "email", {}),
    "phone": ("+79000000000", "phone", {}),
    "custom": ("7", "custom", {"field_name": "crm"}),
    "tags": ("art", "custom", {"field_name": "interests"}),
}


@pytest.fixture
async def world(tables: Settings, pool: asyncpg.Pool) -> World:
    return await new_world(pool)


async def bring(world: World, way: str, **data: Any) -> Json:
    value, matching, settings = WAYS[way]
    (entry,) = await world.bring([item(value, **data)], matching, **settings)
    return entry


@pytest.mark.promise("P-MATCH-30")
@pytest.mark.parametrize("way", WAYS)
async def test_who_is_gone_is_found_no_more_and_makes_way_for_a_new_profile(world: World, way: str) -> None:
    (gone,) = await world.bring([item("ada@a.test", **ADA)])
    await world.pool.execute("DELETE FROM profiles")

    made = await bring(world, way)
    found = await bring(world, way, _fname="Ada")

    assert made == found != gone
    assert len(await world.profiles()) == 1


@pytest.mark.promise("P-MATCH-30")
@pytest.mark.parametrize("way", ["phone", "tags"])
async def test_two_who_are_gone_are_nobody(world: World, way: str) -> None:
    shared = {"phones": ["+79000000000"], "interests": ["art"]}
    _, bob, _ = await world.bring([item(f"{name}@a.test", **shared) for name in ("ada", "bob", "eve")])
    await world.pool.execute("DELETE FROM profiles WHERE id <> $1", bytes.fromhex(bob["profile_id"]))

    assert await bring(world, way) == bob


@pytest.mark.promise("P-MATCH-30")
async def test_the_email_of_who_is_gone_can_be_given_to_another(world: World) -> None:
    await world.bring([item("ada@a.test")])
    await world.pool.execute("DELETE FROM profiles")

    made, other = await world.bring([item("bob@a.test"), item("bob@a.test", email="ada@a.test")])

    assert made == other
    assert (await world.profile(made))["email"] == "ada@a.test"


@pytest.mark.promise("P-MATCH-30")
async def test_an_email_that_its_profile_has_no_more_is_free(world: World) -> None:
    """As after its spelling was changed by hand."""
    (ada,) = await world.bring([item("ada@a.test")])
    await world.pool.execute("""UPDATE profiles SET data = '{"email": "other@a.test"}'""")

    (made,) = await world.bring([item("ada@a.test")])

    assert made != ada
    assert "profile_id" in made
