"""Modes that search subscriptions alone, two values at once, or a device; against real rows."""

from typing import Any

import asyncpg
import pytest

from schemas.settings import Settings
from tests.matching import Json, World, item, new_world, subscription

AMBIGUOUS = {"error": 409, "error_text": "More than one profile matches"}
EMAIL, PHONE, DEVICE = "also@a.test", "+79000000002", {"provider": "ios-apns", "subscription_id": "Ж" * 3_000}
GIVEN = [subscription(24, email=EMAIL), subscription(25, phone=PHONE), subscription(27, **DEVICE)]


@pytest.fixture
async def world(tables: Settings, pool: asyncpg.Pool) -> World:
    return await new_world(pool)


async def one(world: World, value: Any, matching: str, data: Json | None = None, **settings: Any) -> Json:
    (entry,) = await world.bring([item(value, **(data or {}))], matching, **settings)
    return entry


@pytest.mark.promise("P-MATCH-21")
@pytest.mark.parametrize(
    ("matching", "own", "subscribed"),
    [
        ("email_sub", "ada@a.test", EMAIL),
        ("phone_sub", "+79000000000", PHONE),
        ("email_phone_sub", {"email": "ada@a.test", "phone": "+79000000000"}, {"email": EMAIL}),
        ("email_phone_sub", {"phone": "+79000000000"}, {"email": "nobody@a.test", "phone": PHONE}),
        ("push_sub", DEVICE | {"provider": "android-firebase"}, DEVICE),
    ],
)
async def test_a_mode_of_subscriptions_finds_by_them_alone_and_writes_nothing(
    world: World, matching: str, own: Any, subscribed: Any
) -> None:
    (holder,) = await world.bring([item("ada@a.test", phones=["+79000000000"], subscriptions=GIVEN)])

    assert await one(world, subscribed, matching) == holder
    created = await one(world, own, matching)
    assert created != holder
    assert await world.profile(created) == {"_id": created["profile_id"], "subscriptions": []}


@pytest.mark.promise("P-MATCH-21", "P-MATCH-11")
@pytest.mark.parametrize(
    ("matching", "value", "right", "wrong"),
    [
        ("email_sub", EMAIL, 24, 26),
        ("email_phone", {"email": EMAIL}, 24, 26),
        ("email_phone_sub", {"phone": PHONE}, 25, 24),
        ("push_sub", DEVICE, 27, 24),
    ],
)
async def test_a_resource_narrows_them_too(world: World, matching: str, value: Any, right: int, wrong: int) -> None:
    (holder,) = await world.bring([item("ada@a.test", subscriptions=GIVEN)])

    assert await one(world, value, matching, resource=world.resources[right]) == holder
    assert await one(world, value, matching, resource=world.resources[wrong]) != holder


@pytest.mark.promise("P-MATCH-21", "P-MATCH-10")
@pytest.mark.parametrize("value", [{"email": "ada@a.test"}, {"phone": "+79000000000"}, {"email": "ada@a.test", "phone": "+79000000000"}])
async def test_an_email_or_a_phone_find_its_holder_once(world: World, value: Json) -> None:
    (holder,) = await world.bring([item("ada@a.test", phones=["+79000000000"])])

    assert await one(world, value, "email_phone", {"_fname": "Ada"}) == holder
    assert (await world.profile(holder))["_fname"] == "Ada"


@pytest.mark.promise("P-MATCH-21", "P-MATCH-09")
async def test_an_email_and_a_phone_of_two_profiles_are_several(world: World) -> None:
    await world.bring([item("ada@a.test"), item("bob@a.test", phones=["+79000000000"])])

    assert await one(world, {"email": "ada@a.test", "phone": "+79000000000"}, "email_phone") == AMBIGUOUS


@pytest.mark.promise("P-MATCH-21", "P-MATCH-13", "P-MATCH-14")
async def test_both_are_written_to_a_new_profile_and_neither_to_one_that_is_there(world: World) -> None:
    value = {"email": "new@a.test", "phone": "+79000000009"}
    created = await one(world, value, "email_phone")
    again = await one(world, value | {"phone": "+79000000008"}, "email_phone")

    assert again == created
    assert await world.profile(created) == {
        "_id": created["profile_id"],
        "email": "new@a.test",
        "phones": ["+79000000009"],
        "subscriptions": [],
    }


@pytest.mark.promise("P-MATCH-21", "P-SUBS-07")
async def test_a_device_of_two_profiles_is_several(world: World) -> None:
    (ada, _) = await world.bring([item("ada@a.test", subscriptions=[subscription(27, **DEVICE)]), item("bob@a.test")])

    assert await one(world, DEVICE, "push_sub") == ada
    await world.bring([item("bob@a.test", subscriptions=[subscription(27, **DEVICE)])])
    assert await one(world, DEVICE, "push_sub") == AMBIGUOUS


OTHERS = [
    subscription(30, cc_data={"id": 77, "name": "Ада"}),
    subscription(31, cc_data={"phone": PHONE}),
    subscription(32, cc_data={"phone": "+79000000003", "id": 78}),
]


@pytest.mark.promise("P-MATCH-33", "P-SUBS-13")
@pytest.mark.parametrize(("member", "value"), [("id", 77), ("phone", PHONE), ("phone", "+79000000003")])
async def test_a_member_of_another_channels_subscription_finds_its_holder(world: World, member: str, value: Any) -> None:
    (holder,) = await world.bring([item("ada@a.test", phones=["+79000000077"], subscriptions=OTHERS)])

    assert await one(world, value, "custom_sub", {"_fname": "Ada"}, field_name=member) == holder
    assert (await world.profile(holder))["_fname"] == "Ada"


@pytest.mark.promise("P-MATCH-33")
@pytest.mark.parametrize(
    # The member of another channel's address, one that is no address of its channel, a profile's own phone, another channel's.
    ("member", "value"),
    [("id", 78), ("phone", "+79000000077"), ("phone", "+79000000025")],
)
async def test_nothing_else_is_found_by_a_member_and_nothing_is_written(world: World, member: str, value: Any) -> None:
    (holder,) = await world.bring(
        [item("ada@a.test", phones=["+79000000077"], subscriptions=[*OTHERS, subscription(25, phone="+79000000025")])]
    )

    created = await one(world, value, "custom_sub", field_name=member)
    assert created != holder
    assert await world.profile(created) == {"_id": created["profile_id"], "subscriptions": []}


@pytest.mark.promise("P-MATCH-33", "P-MATCH-11", "P-SUBS-07")
async def test_a_member_of_several_is_several_unless_a_resource_narrows_it(world: World) -> None:
    (ada, bob) = await world.bring(
        [
            item("ada@a.test", subscriptions=[subscription(31, cc_data={"phone": PHONE})]),
            item("bob@a.test", subscriptions=[subscription(32, cc_data={"phone": PHONE})]),
        ]
    )

    assert await one(world, PHONE, "custom_sub", field_name="phone") == AMBIGUOUS
    assert await one(world, PHONE, "custom_sub", field_name="phone", resource=world.resources[31]) == ada
    assert await one(world, PHONE, "custom_sub", field_name="phone", resource=world.resources[32]) == bob
