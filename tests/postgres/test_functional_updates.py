"""Functional updates against real rows: in order, whole, and found by what they made."""

from typing import Any

import asyncpg
import pytest

from schemas.settings import Settings
from tests.matching import World, item, new_world, subscription


@pytest.fixture
async def world(tables: Settings, pool: asyncpg.Pool) -> World:
    return await new_world(pool)


def act(action: str, value: Any = None, **more: Any) -> dict[str, Any]:
    return {"action": action, "value": value, **more}


@pytest.mark.promise("P-DATA-21", "P-MATCH-17")
async def test_updates_of_one_profile_are_applied_in_their_order(world: World) -> None:
    first, *_ = await world.bring([item("ada@a.test", number=act("incr", step)) for step in (5, -2, 39)])
    await world.bring([item("ada@a.test", number=act("set", 1)), item("ada@a.test", number=act("incr", 1))])

    assert (await world.profile(first))["number"] == 2


@pytest.mark.promise("P-DATA-21")
async def test_a_profile_is_found_by_what_an_update_made(world: World) -> None:
    (ada,) = await world.bring([item("ada@a.test", number=41, interests=["art"])])
    await world.bring([item("ada@a.test", number=act("incr", 1), interests=act("add", ["Ham, smoked"]))])

    assert await world.bring([item(42)], "custom", field_name="number") == [ada]
    assert await world.bring([item(["Ham, smoked", "art"])], "custom", field_name="interests") == [ada]
    assert await world.bring([item(41)], "custom", field_name="number") != [ada]


@pytest.mark.promise("P-MATCH-34", "P-MATCH-20", "P-DATA-21")
async def test_updates_of_a_new_profile_are_applied_to_what_it_was_searched_by(world: World) -> None:
    tagged = await world.bring([item("vip", interests=act("add", ["new"]))] * 2, "custom", field_name="interests")
    (counted,) = await world.bring([item(5, number=act("incr", 1))], "custom", field_name="number")

    assert tagged[0] == tagged[1]
    assert (await world.profile(tagged[0]))["interests"] == ["vip", "new"]
    assert (await world.profile(counted))["number"] == 6


@pytest.mark.promise("P-DATA-21", "P-BATCH-06")
async def test_an_update_that_fails_changes_nothing_of_its_item(world: World) -> None:
    (ada,) = await world.bring([item("ada@a.test", number=2**63 - 1, _fname="Ada")])
    (failed,) = await world.bring([item("ada@a.test", number=act("incr", 1), _fname="Eve", interests=act("add", ["art"]))])

    assert failed == {"error": 400, "error_text": "Incorrect number", "field": "number"}
    assert await world.profile(ada) == {
        "_id": ada["profile_id"],
        "email": "ada@a.test",
        "number": 2**63 - 1,
        "_fname": "Ada",
        "subscriptions": [],
    }


@pytest.mark.promise("P-DATA-21", "P-DATA-30")
async def test_consent_is_forgotten_only_when_that_is_asked_for(world: World) -> None:
    (ada,) = await world.bring([item("ada@a.test", _fname="Ada", subscriptions=[subscription(24, email="also@a.test")])])
    await world.bring([item("ada@a.test", subscriptions=None, _fname=act("unset"))])
    assert "_fname" not in await world.profile(ada)
    assert await world.bring([item("also@a.test")], "email_sub") == [ada]
    await world.bring([item("ada@a.test", subscriptions=act("unset"))])

    assert (await world.profile(ada))["subscriptions"] == []
    assert await world.bring([item("also@a.test")], "email_sub") != [ada]


@pytest.mark.promise("P-TRIG-02", "P-DATA-21")
async def test_an_update_that_makes_no_difference_is_no_change(world: World) -> None:
    await world.trigger_of("update")
    await world.bring([item("ada@a.test", interests=["art"])])
    messages = await world.messages([item("ada@a.test", interests=act("add", ["art"]), number=act("unset"))])
    (told,) = await world.apply(messages)

    assert [start.trigger for start in told.starts] == [world.trigger]
