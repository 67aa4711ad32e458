"""Which profile an item means, by each mode, against real rows."""

from typing import Any

import asyncpg
import msgspec
import pytest

from schemas.settings import Settings
from tests.matching import World, item, new_world, subscription

AMBIGUOUS = {"error": 409, "error_text": "More than one profile matches"}
TAKEN = {"error": 409, "error_text": "Email belongs to another profile", "field": "email"}
NOBODY = {"error": 404, "error_text": "Profile not found", "field": "profile_id"}


@pytest.fixture
async def world(tables: Settings, pool: asyncpg.Pool) -> World:
    return await new_world(pool)


async def one(world: World, value: Any, matching: str = "email", **settings: Any) -> Any:
    """The entry of a single item that only searches."""
    (entry,) = await world.bring([item(value)], matching, **settings)
    return entry


@pytest.mark.promise("P-MATCH-08", "P-MATCH-13")
async def test_nobody_found_makes_a_profile_with_the_match_value(world: World) -> None:
    (created,) = await world.bring([item("Ada@Shop.test", _fname="Ada")])

    assert await world.profile(created) == {"_id": created["profile_id"], "email": "ada@shop.test", "_fname": "Ada", "subscriptions": []}


@pytest.mark.promise("P-MATCH-13")
async def test_data_that_gives_the_field_itself_counts_alone(world: World) -> None:
    (by_email, by_phone) = [
        *await world.bring([item("match@a.test", email="given@a.test")]),
        *await world.bring([item("+79000000000", phones="+79000000001")], "phone"),
    ]

    assert (await world.profile(by_email))["email"] == "given@a.test"
    assert (await world.profile(by_phone))["phones"] == ["+79000000001"]


@pytest.mark.promise("P-MATCH-34", "P-MATCH-20")
@pytest.mark.parametrize(
    ("matching", "name", "value", "given"),
    [
        ("phone", "phones", "+79000000000", None),
        ("phone", "phones", "+79000000000", []),
        ("phone", "phones", "+79000000000", {"action": "unset"}),
        ("custom", "crm", "A-1", None),
        ("custom", "crm", "A-1", " "),
        ("custom", "number", 5, {"action": "set", "value": None}),
        ("custom", "interests", "vip", []),
        ("custom", "interests", "vip", {"action": "delete", "value": ["vip"]}),
    ],
)
async def test_a_new_profile_keeps_what_it_was_searched_by_where_data_leaves_nothing(
    world: World, matching: str, name: str, value: Any, given: Any
) -> None:
    settings = {"field_name": name} if matching == "custom" else {}
    (created,) = await world.bring([item(value, **{name: given})], matching, **settings)
    shown = await world.profile(created)
    repeated = await world.bring([item(value, **{name: given})], matching, **settings)

    assert shown[name] == (value if name in ("crm", "number") else [value])
    assert repeated == [created]


@pytest.mark.promise("P-MATCH-08", "P-MATCH-14")
async def test_one_found_is_updated_and_gets_only_the_data(world: World) -> None:
    (created,) = await world.bring([item("ada@a.test", _fname="Ada", subscriptions=[subscription(24, email="also@a.test")])])

    (updated,) = await world.bring([item("also@a.test", _lname="Byron")])

    assert updated == created
    shown = await world.profile(created)
    assert (shown["email"], shown["_fname"], shown["_lname"]) == ("ada@a.test", "Ada", "Byron")


@pytest.mark.promise("P-MATCH-01", "P-MATCH-02")
async def test_email_searches_subscriptions_too_and_email_profile_does_not(world: World) -> None:
    (holder,) = await world.bring([item("ada@a.test", subscriptions=[subscription(24, email="also@a.test")])])

    assert await one(world, "also@a.test") == holder
    assert await one(world, "also@a.test", "email_profile") != holder


@pytest.mark.promise("P-MATCH-03")
async def test_phone_searches_phones_and_sms_subscriptions(world: World) -> None:
    (holder,) = await world.bring(
        [item("ada@a.test", phones=["+79000000000", "+79000000001"], subscriptions=[subscription(25, phone="+79000000002")])]
    )

    assert [await one(world, f"+7900000000{last}", "phone") for last in range(3)] == [holder] * 3


@pytest.mark.promise("P-MATCH-11")
@pytest.mark.parametrize(("matching", "address", "right", "wrong"), [("email", "also@a.test", 24, 26), ("phone", "+79000000002", 25, 24)])
async def test_a_resource_narrows_the_subscriptions(world: World, matching: str, address: str, right: int, wrong: int) -> None:
    given = [subscription(24, email="also@a.test"), subscription(25, phone="+79000000002")]
    (holder,) = await world.bring([item("ada@a.test", subscriptions=given)])

    assert await one(world, address, matching, resource=world.resources[right]) == holder
    assert await one(world, address, matching, resource=world.resources[wrong]) != holder


@pytest.mark.promise("P-MATCH-04", "P-BATCH-21")
async def test_a_profile_id_updates_and_never_creates(world: World) -> None:
    (holder,) = await world.bring([item("ada@a.test")])

    assert await one(world, holder["profile_id"], "profile_id") == holder
    assert [await one(world, wrong, "profile_id") for wrong in ("0" * 24, "no id")] == [NOBODY] * 2
    assert len(await world.profiles()) == 1


@pytest.mark.promise("P-MATCH-05", "P-MATCH-07")
@pytest.mark.parametrize(
    ("field_name", "stored", "searched"),
    [
        ("crm", "0002", "0002"),
        ("crm", 7, "7"),
        ("number", 42, "42"),
        ("number", "42", 42),
        ("since", "2026-01-01T03:00:00+03:00", "2026-01-01T00:00:00Z"),
        ("plan", "pro", 1),
    ],
)
async def test_custom_finds_by_a_declared_field(world: World, field_name: str, stored: Any, searched: Any) -> None:
    (holder,) = await world.bring([item("ada@a.test", **{field_name: stored})])

    assert await one(world, searched, "custom", field_name=field_name) == holder


@pytest.mark.promise("P-MATCH-06")
async def test_tags_find_whoever_carries_all_of_them(world: World) -> None:
    (both, only) = await world.bring([item("ada@a.test", interests="art, math, sea"), item("bob@a.test", interests=["art"])])

    assert await one(world, "math, art", "custom", field_name="interests") == both
    assert await one(world, "art", "custom", field_name="interests") == AMBIGUOUS
    await world.bring([item("ada@a.test", interests=[])])
    assert await one(world, "art", "custom", field_name="interests") == only


@pytest.mark.promise("P-MATCH-09", "P-SUBS-07")
async def test_several_found_change_nothing(world: World) -> None:
    shared = [subscription(24, email="shared@a.test")]
    await world.bring([item("ada@a.test", subscriptions=shared), item("bob@a.test", subscriptions=shared)])
    before = await world.profiles()

    (entry,) = await world.bring([item("shared@a.test", _fname="Changed")])

    assert entry == AMBIGUOUS
    assert await world.profiles() == before


@pytest.mark.promise("P-MATCH-10")
async def test_found_twice_counts_once_but_two_ways_to_two_profiles_are_two(world: World) -> None:
    (twice,) = await world.bring([item("ada@a.test", subscriptions=[subscription(24, email="ada@a.test")])])

    assert await one(world, "ada@a.test") == twice
    await world.bring([item("bob@a.test", subscriptions=[subscription(24, email="ada@a.test")])])
    assert await one(world, "ada@a.test") == AMBIGUOUS


@pytest.mark.promise("P-MATCH-15")
async def test_an_email_belongs_to_one_profile(world: World) -> None:
    await world.bring([item("ada@a.test"), item("bob@a.test")])

    update, create = await world.bring([item("bob@a.test", email="ada@a.test"), item("carol@a.test", email="ada@a.test")])

    assert [update, create] == [TAKEN, TAKEN]
    assert sorted(profile["email"] for profile in await world.profiles()) == ["ada@a.test", "bob@a.test"]


async def another_database(world: World) -> int:
    sql = "INSERT INTO databases (account, number, name, unknown_fields, fields) "
    sql += "SELECT account, 2, 'other', unknown_fields, fields FROM databases RETURNING id"
    return int(await world.pool.fetchval(sql))


@pytest.mark.promise("P-OPS-11")
async def test_two_databases_in_one_chunk_hold_nothing_of_each_other(world: World) -> None:
    (ours,) = await world.bring([item("ada@a.test", phones="+79000000000", interests="art")])
    databases = (world.database, await another_database(world))
    messages = []
    for matching, value, field in (
        ("email", "ada@a.test", {}),
        ("phone", "+79000000000", {}),
        ("custom", "art", {"field_name": "interests"}),
        ("profile_id", ours["profile_id"], {}),
    ):
        for database in databases:
            messages += await world.messages([item(value)], matching, database=database, **field)
    await world.apply(messages)
    entries = [(await world.entries(bytes.fromhex(message.batch)))[0] for message in messages]

    assert entries[::2] == [ours] * 4
    assert ours not in entries[1::2]
    assert entries[-1] == NOBODY


@pytest.mark.promise("P-OPS-11")
async def test_another_database_holds_nothing_of_ours(world: World) -> None:
    (ours,) = await world.bring([item("ada@a.test", phones="+79000000000", interests="art")])
    other = await another_database(world)

    entries = [
        await one(world, "ada@a.test", database=other),
        await one(world, "+79000000000", "phone", database=other),
        await one(world, "art", "custom", field_name="interests", database=other),
    ]
    assert ours not in entries
    assert await one(world, ours["profile_id"], "profile_id", database=other) == NOBODY


@pytest.mark.promise("P-OPS-11")
async def test_a_database_lends_no_other_in_the_chunk_its_resources_and_campaigns(world: World) -> None:
    own = await world.trigger_of("api_import")
    items = [item("ada@a.test", subscriptions=[subscription(24, channel="email", email="ada@a.test")]), item("bob@a.test")]
    ours, theirs = await world.messages(items), await world.messages(items, database=await another_database(world))
    announced = {each.batch: each for each in await world.apply([*ours, *theirs])}
    started = [[start.trigger for start in announced[messages[0].batch].starts] for messages in (ours, theirs)]

    assert [announced[messages[0].batch].items for messages in (ours, theirs)] == [[0, 1], [1]]
    assert started == [[world.trigger, own], [world.trigger]]


@pytest.mark.promise("P-OPS-11", "P-MATCH-08")
async def test_those_who_share_a_value_in_another_database_make_nothing_ambiguous(world: World) -> None:
    (ours,) = await world.bring([item("ada@a.test", phones="+79000000000")])
    others = [item(f"{name}@a.test", phones="+79000000000") for name in ("bob", "carol", "dan")]
    await world.bring(others, database=await another_database(world))

    assert await one(world, "+79000000000", "phone") == ours


async def test_a_value_that_many_share_is_ambiguous_at_once(world: World) -> None:
    await world.pool.execute(
        "INSERT INTO identities SELECT $1, 4, '+79000000000', n, int8send(n) || '\\x00000000' FROM generate_series(1::bigint, 100000) n",
        world.database,
    )
    await world.pool.execute("INSERT INTO profiles SELECT profile, database, '{\"phones\":[\"+79000000000\"]}', '[]' FROM identities")

    entries = await world.bring([item("+79000000000")] * 100, "phone")

    assert entries == [AMBIGUOUS] * 100


@pytest.mark.promise("P-MATCH-22")
async def test_a_tag_with_a_comma_is_found_as_a_whole_and_not_by_its_parts(world: World) -> None:
    tagged = ["Ham, smoked"]
    (created,) = await world.bring([item("a@a.test", interests=tagged)])

    by_part, by_whole = [await one(world, value, "custom", field_name="interests") for value in ("Ham", tagged)]
    assert by_part != created
    assert by_whole == created


@pytest.mark.promise("P-MATCH-06")
async def test_tags_in_a_message_of_an_older_gateway_are_a_text(world: World) -> None:
    (created,) = await world.bring([item("a@a.test", interests=["a", "b"])])
    (message,) = await world.messages([item("a, b")], "custom", field_name="interests")

    await world.apply([msgspec.structs.replace(message, value="a, b")])

    assert await world.entries(bytes.fromhex(message.batch)) == [created]


@pytest.mark.promise("P-DATA-27")
async def test_a_field_that_was_retired_while_its_item_waited_fails_the_item(world: World) -> None:
    messages = await world.messages([item("pro")], "custom", field_name="plan")
    await world.pool.execute("UPDATE databases SET fields = fields - 'plan'")

    await world.apply(messages)

    assert await world.entries(bytes.fromhex(messages[0].batch)) == [
        {"error": 400, "error_text": "Field is not matched by", "field": "plan"}
    ]


@pytest.mark.timeout(20)
@pytest.mark.promise("P-MATCH-15", "P-MATCH-18")
async def test_an_email_that_one_lets_go_is_another_ones_in_the_same_chunk(world: World) -> None:
    ada, bob = await world.bring([item("ada@a.test"), item("bob@a.test")])

    changed = await world.bring([item("ada@a.test", email="new@a.test"), item("bob@a.test", email="ada@a.test")])

    assert changed == [ada, bob]
    assert await world.bring([item("ada@a.test"), item("new@a.test")]) == [bob, ada]
