"""How items end: results, progress, custom data, announcements, dead letters."""

import asyncpg
import msgspec
import pytest

from schemas.ids import md5_of, new_id
from schemas.messages import NO_MD5, ProfileImport, ProfilesMatched, TriggerStart
from schemas.settings import Settings
from tests.matching import World, item, new_world
from workers.exactly_once import Dead, Unprocessable
from workers.matcher.item import Item, Outcome

CANNOT = {"error": 400, "error_text": "Cannot be processed"}
UNKNOWN = {"error": 400, "error_text": "Unknown field", "field": "_frame"}


@pytest.fixture
async def world(tables: Settings, pool: asyncpg.Pool) -> World:
    return await new_world(pool)


async def fail(world: World, batch: bytes | None, *items: int | None) -> None:
    async with world.transaction() as connection:
        await world.room.apply(connection, [], [Dead("imports", 0, 0, "unreadable", batch, number) for number in items])


async def progress(world: World, batch: bytes) -> tuple[int, int, str]:
    row = await world.pool.fetchrow("SELECT imported, failed, done::text FROM batch_progress WHERE batch = $1", batch)
    return tuple(row)


async def starts(world: World, *items: dict[str, object], **settings: object) -> list[TriggerStart]:
    (announced,) = await world.apply(await world.messages(items, **settings))  # type: ignore[arg-type]
    return announced.starts


@pytest.mark.promise("P-STATUS-03", "P-BATCH-06")
async def test_each_item_sets_its_bit_and_counts_as_imported_or_failed(world: World) -> None:
    messages = await world.messages([item("ada@a.test"), item("bob@a.test", _frame=1), item("carol@a.test")])
    batch = bytes.fromhex(messages[0].batch)

    await world.apply(messages[1:])

    assert await progress(world, batch) == (1, 1, "011")
    assert (await world.entries(batch))[0] == UNKNOWN


async def test_a_chunk_is_named_by_its_lowest_item_and_announced_once(world: World) -> None:
    messages = await world.messages(
        [item(f"{name}@a.test", **fields) for name, fields in (("a", {}), ("b", {"_frame": 1}), ("c", {}), ("d", {}))]
    )
    batch = bytes.fromhex(messages[0].batch)

    (announced,) = await world.apply([messages[3], messages[1], messages[2]])

    assert (announced.batch, announced.chunk, announced.items) == (batch.hex(), 1, [2, 3])
    assert await world.pool.fetchval("SELECT (chunk, items)::text FROM results") == '(1,"{1,2,3}")'
    entries = await world.entries(batch)
    assert announced.profiles == "".join(str(entry["profile_id"]) for entry in entries[1:])


async def test_a_chunk_whose_items_all_failed_is_recorded_and_not_announced(world: World) -> None:
    messages = await world.messages([item("ada@a.test", _frame=1)])

    assert await world.apply(messages) == []
    assert await world.entries(bytes.fromhex(messages[0].batch)) == [UNKNOWN]


async def test_the_announcement_goes_to_its_topic_by_batch(world: World) -> None:
    messages = await world.messages([item("ada@a.test")])
    async with world.transaction() as connection:
        (outgoing,) = await world.apply_in(connection, messages)

    assert (outgoing.topic, outgoing.key.hex()) == ("matches", messages[0].batch)
    assert ProfilesMatched.decode(outgoing.value).items == [0]


@pytest.mark.promise("P-BATCH-18")
async def test_custom_data_stays_beside_its_item(world: World) -> None:
    await world.bring([item("ada@a.test", {"row": 1}), item("bob@a.test"), item("bad@a.test", {"row": 3}, _frame=1)])

    assert msgspec.json.decode(await world.pool.fetchval("SELECT custom_data::text FROM results")) == {"0": {"row": 1}}


async def test_items_of_several_batches_share_a_chunk(world: World) -> None:
    both = [await world.messages([item("ada@a.test")]), await world.messages([item("bob@a.test")])]

    announced = await world.apply([message for messages in both for message in messages])

    assert sorted(message.batch for message in announced) == sorted(messages[0].batch for messages in both)


@pytest.mark.promise("P-OPS-09")
async def test_an_unreadable_message_fails_the_item_that_its_headers_name(world: World) -> None:
    batch = await world.batch(3)

    await fail(world, batch, 1)

    assert await progress(world, batch) == (0, 1, "010")
    assert await world.entries(batch) == [CANNOT]


@pytest.mark.promise("P-OPS-09")
async def test_a_dead_letter_answers_no_item_twice_and_none_that_it_does_not_know(world: World) -> None:
    messages = await world.messages([item("ada@a.test"), item("bob@a.test")])
    batch = bytes.fromhex(messages[0].batch)
    await world.apply(messages[:1])

    await fail(world, batch, 0, 2, None, 1, 1)
    await fail(world, new_id(), 0)
    await fail(world, None, None)

    assert await progress(world, batch) == (1, 1, "11")


async def test_messages_of_no_batch_or_beyond_its_end_are_named_to_the_engine(world: World) -> None:
    messages = await world.messages([item("ada@a.test")])
    stray = ProfileImport(batch=new_id().hex(), item=0, value="a@a.test", data={})
    beyond = msgspec.structs.replace(messages[0], item=1)

    prepared = [each async for each in world.room.prepare([stray, *messages, beyond])]

    assert [isinstance(each, Unprocessable) for each in prepared] == [True, False, True]


@pytest.mark.promise("P-TRIG-01", "P-TRIG-03")
async def test_imports_start_the_triggers_of_their_database(world: World) -> None:
    imported = await world.trigger_of("api_import")
    await world.trigger_of("api_import", active=False)
    await world.trigger_of("api_call")

    assert await starts(world, item("ada@a.test")) == [TriggerStart(trigger=world.trigger), TriggerStart(trigger=imported)]
    assert await starts(world, item("ada@a.test"), skip_triggers=True) == [TriggerStart(trigger=world.trigger)]


@pytest.mark.promise("P-TRIG-02")
async def test_update_triggers_start_for_what_changed_an_existing_profile(world: World) -> None:
    any_change = await world.trigger_of("update")
    of_city = await world.trigger_of("update", fields=["_city", "subscriptions"])
    await world.bring([item("ada@a.test", _fname="Ada")])

    started = await starts(
        world, item("ada@a.test", _fname="Ada"), item("bob@a.test"), item("ada@a.test", _city="Riga"), item("bob@a.test", _fname="Bob")
    )

    assert started[1:] == [TriggerStart(trigger=any_change, items=[2, 3]), TriggerStart(trigger=of_city, items=[2])]
    assert (await starts(world, item("ada@a.test", _city="Oslo")))[1:] == [TriggerStart(trigger=any_change), TriggerStart(trigger=of_city)]
    assert (await starts(world, item("ada@a.test", _city="Rome"), skip_triggers=True))[1:] == []


@pytest.mark.promise("P-OPS-35")
async def test_messages_are_parsed_while_no_transaction_waits(world: World) -> None:
    messages = await world.messages([item("ada@a.test"), item("bad@a.test", _frame=1)])

    async for prepared in world.room.prepare(messages):
        assert isinstance(prepared, Item | Outcome)
        # All connections have been given back.
        assert world.pool.get_size() == world.pool.get_idle_size()


@pytest.mark.promise("P-EVENT-04")
async def test_an_announcement_says_whose_imports_they_are_by_the_emails_that_each_item_left(world: World) -> None:
    batch = await world.messages([item("ann@a.test"), item("ann@a.test", email="bob@a.test"), item("bob@a.test")])
    nameless = await world.messages([item("+79000000000", phones="+79000000000")], "phone")
    found = await world.messages([item("bob@a.test")], kind="start")

    (named,) = await world.apply(batch)
    (none,) = await world.apply(nameless)
    (started,) = await world.apply(found)

    assert named.md5s == "".join(md5_of(email) for email in ("ann@a.test", "bob@a.test", "bob@a.test"))
    assert none.md5s == NO_MD5
    assert started.md5s is None
