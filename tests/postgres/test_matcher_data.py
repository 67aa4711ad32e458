"""What data does to a stored profile: bounds, ids, nulls, and what is no change."""

from typing import Any

import asyncpg
import pytest

from ingest.endpoints.profiles import show
from ingest.sql.accounts import Database
from schemas.settings import Settings
from tests.matching import Json, World, item, new_world, subscription

OTHER_ID = {"error": 400, "error_text": "Incorrect id", "field": "_id"}
TOO_LARGE = {"error": 400, "error_text": "Profile too large"}
EVERYTHING: Json = {
    "phones": ["+7 900 000 00 00", "+79000000001"],
    "_sex": 2,
    "_bdate": "1815-12-10T00:00:00+03:00",
    "_regdate": 1767225600000,
    "_ip": "::ffff:192.0.2.1",
    "_status": "unsubscribed",
    "_fname": "",
    "crm": 42,
    "number": "7",
    "since": "2026-01-01T03:00:00.123456789+03:00",
    "interests": "b, a",
    "plan": 1,
    "settings": {"a": [1e300, None, True]},
    "ratio": 1e23,
    "subscriptions": [
        subscription(24, email_data={"email": "News@A.test"}, status=1, cats=["x"], custom_fields={"a": 1}),
        subscription(25, phone="+7 900 000 00 00", priority=3),
        subscription(27, provider="android-firebase", subscription_id="x"),
    ],
}


@pytest.fixture
async def world(tables: Settings, pool: asyncpg.Pool) -> World:
    return await new_world(pool)


async def version(world: World) -> str:
    """Another one as soon as any profile is written."""
    rows = await world.pool.fetch("SELECT xmin::text FROM profiles ORDER BY id")
    return ",".join(row["xmin"] for row in rows)


@pytest.mark.promise("P-DATA-29", "P-DATA-31", "P-TRIG-02")
async def test_what_is_shown_of_a_profile_can_be_imported_again_and_changes_nothing(world: World) -> None:
    trigger = await world.trigger_of("update")
    (created,) = await world.bring([item("ada@a.test", **EVERYTHING)])
    shown, before = await world.profile(created), await version(world)

    messages = await world.messages([item("ada@a.test", **shown), item("ada@a.test", **EVERYTHING)])
    (announced,) = await world.apply(messages)

    assert await world.entries(bytes.fromhex(messages[0].batch)) == [created, created]
    assert await version(world) == before
    assert trigger not in [start.trigger for start in announced.starts]


@pytest.mark.promise("P-DATA-29", "P-DATA-33", "P-SUBS-14")
@pytest.mark.parametrize(
    "ambiguous", [{"action": "unset"}, {"action": "set", "value": 1}, {"action": "upsert", "value": 1, "submatch": "a"}]
)
async def test_an_object_that_reads_as_an_update_is_shown_as_it_has_to_be_written(world: World, ambiguous: Json) -> None:
    written = {"action": "set", "value": ambiguous}
    (created,) = await world.bring(
        [item("ada@a.test", settings=written, subscriptions=[subscription(24, email="ada@a.test", custom_fields=written)])]
    )
    before = await version(world)
    async with world.pool.acquire() as connection:
        shown = await show(connection, Database(world.database, {}), bytes.fromhex(created["profile_id"]))

    assert (await world.profile(created))["settings"] == ambiguous
    assert (shown["settings"], shown["subscriptions"][0]["custom_fields"]) == (written, written)
    assert await world.bring([item("ada@a.test", **shown)]) == [created]
    assert await version(world) == before


@pytest.mark.promise("P-DATA-33", "P-SUBS-12")
async def test_other_objects_are_shown_as_they_are(world: World) -> None:
    held: Json = {"settings": {"action": "jump"}, "orders": [{"action": "unset"}]}
    messenger = subscription(30, cc_data={"id": 7, "action": "unset"})
    (created,) = await world.bring([item("ada@a.test", **held, subscriptions=[messenger])])
    await world.pool.execute("""UPDATE profiles SET subscriptions = subscriptions || '[7, {"custom_fields": 7}]'""")
    async with world.pool.acquire() as connection:
        shown = await show(connection, Database(world.database, {}), bytes.fromhex(created["profile_id"]))

    assert shown == await world.profile(created)


@pytest.mark.promise("P-DATA-29")
async def test_an_id_of_somebody_else_fails_its_item(world: World) -> None:
    _, bob = await world.bring([item("ada@a.test"), item("bob@a.test")])
    before = await version(world)

    changed = await world.bring([item("ada@a.test", _id=bob["profile_id"]), item("new@a.test", _id="ff" * 12)])

    assert changed == [OTHER_ID, OTHER_ID]
    assert await version(world) == before


@pytest.mark.promise("P-DATA-29")
async def test_an_id_is_the_same_in_either_case(world: World) -> None:
    (ada,) = await world.bring([item("ada@a.test")])

    assert await world.bring([item("ada@a.test", _id=ada["profile_id"].upper())]) == [ada]
    assert await world.bring([item(ada["profile_id"], _id=ada["profile_id"])], "profile_id") == [ada]
    nobody = await world.bring([item("ff" * 12, _id="ff" * 12)], "profile_id")
    assert nobody == [{"error": 404, "error_text": "Profile not found", "field": "profile_id"}]


@pytest.mark.promise("P-DATA-28")
async def test_a_database_that_keeps_fields_keeps_no_id_of_the_clients_making(tables: Settings, pool: asyncpg.Pool) -> None:
    world = await new_world(pool, unknown_fields="keep")

    entries = await world.bring([item("ada@a.test", _id="ff" * 12), item("ada@a.test", _score=1), item("ada@a.test", score=1)])

    assert entries[:2] == [OTHER_ID, {"error": 400, "error_text": "Unknown field", "field": "_score"}]
    assert await world.profile(entries[2]) == {
        "_id": entries[2]["profile_id"],
        "email": "ada@a.test",
        "score": 1,
        "subscriptions": [],
    }


@pytest.mark.promise("P-DATA-32")
async def test_a_profile_grows_to_a_mebibyte_and_no_further(tables: Settings, pool: asyncpg.Pool) -> None:
    world = await new_world(pool, unknown_fields="keep")

    entries = [entry for at in range(8) for entry in await world.bring([item("ada@a.test", **{f"f{at}": "x" * 200_000})])]
    in_one_chunk = await world.bring([item("bob@a.test", **{f"f{at}": "x" * 200_000}) for at in range(8)])

    assert entries[5:] == in_one_chunk[5:] == [TOO_LARGE] * 3
    for profile in await world.profiles():
        assert sorted(name for name in profile if name.startswith("f")) == [f"f{at}" for at in range(5)]
    # What makes it smaller is welcome.
    (smaller,) = await world.bring([item("ada@a.test", f0="x", f9="x")])
    assert smaller == entries[0]


@pytest.mark.promise("P-DATA-32")
async def test_subscriptions_are_counted_with_those_that_are_stored(world: World) -> None:
    def many(first: int) -> list[Any]:
        return [subscription(24, email=f"ada{number}@a.test") for number in range(first, first + 600)]

    entries = await world.bring([item("ada@a.test", subscriptions=many(first)) for first in (0, 600, 400)])

    assert entries[1] == TOO_LARGE
    assert entries[2] == entries[0]
    assert len((await world.profile(entries[0]))["subscriptions"]) == 1_000


@pytest.mark.promise("P-DATA-30")
async def test_null_forgets_neither_email_nor_consent(world: World) -> None:
    (created,) = await world.bring([item("ada@a.test", _fname="Ada", subscriptions=[subscription(24, email="also@a.test")])])
    before = await world.profile(created)

    (again,) = await world.bring([item("ada@a.test", _id=None, email=None, subscriptions=None, _fname=None)])

    assert again == created
    assert await world.profile(created) == {name: value for name, value in before.items() if name != "_fname"}


@pytest.mark.promise("P-SUBS-12")
async def test_a_stored_subscription_without_a_channel_costs_its_profile_nothing(world: World) -> None:
    (ada,) = await world.bring([item("ada@a.test")])
    await world.pool.execute("""UPDATE profiles SET subscriptions = '[{"resource_id": 24, "email": "odd@a.test"}]'""")
    (found,) = await world.bring([item("ada@a.test", subscriptions=[subscription(24, email="sub@a.test")])])

    assert found == ada
    assert [each["email"] for each in (await world.profile(ada))["subscriptions"]] == ["odd@a.test", "sub@a.test"]


@pytest.mark.promise("P-DATA-32")
@pytest.mark.parametrize("number", [1e308, 5e-300])
async def test_a_number_counts_as_it_is_stored(world: World, number: float) -> None:
    """Postgres spells it out: a few bytes when it is given are 300 when it comes back."""
    (many,) = await world.bring([item("ada@a.test", settings={"all": [number] * 4_000})])
    (few,) = await world.bring([item("ada@a.test", settings={"all": [number] * 3_000})])
    (named,) = await world.bring([item("ada@a.test", _fname="Ada 1e308")])

    assert many == TOO_LARGE
    assert named == few
    (stored,) = await world.pool.fetch("SELECT length(data::text) AS size FROM profiles")
    assert 900_000 < stored["size"] < 1_048_576


@pytest.mark.promise("P-BATCH-05")
async def test_an_update_that_fails_in_a_subscription_names_its_field(world: World) -> None:
    await world.bring([item("ada@a.test", subscriptions=[subscription(24, email="ada@a.test", priority=2**31 - 1)])])
    more = subscription(24, email="ada@a.test", priority={"action": "incr", "value": 1})
    (failed,) = await world.bring([item("ada@a.test", subscriptions=[more])])

    assert failed == {"error": 400, "error_text": "Incorrect number", "field": "subscriptions"}


@pytest.mark.parametrize("other", [("a", "b\x1fc"), ("a\x1f", "b\x1fc"), ("a", "\x1fb\x1fc")])
async def test_devices_whose_parts_hold_what_parts_them_are_not_mixed_up(world: World, other: tuple[str, str]) -> None:
    await world.bring([item("ada@a.test", subscriptions=[subscription(27, provider="a\x1fb", subscription_id="c")])])
    await world.bring([item({"provider": other[0], "subscription_id": other[1]}, email="eve@a.test")], "push_sub")

    assert len(await world.profiles()) == 2
