"""What is asked for the items of a batch: to import them, to start a campaign for each, or both."""

from functools import partial

import asyncpg
import pytest

from schemas.batches import BatchKind
from schemas.messages import ProfilesMatched, TriggerStart
from schemas.settings import Settings
from tests import launching, retaining
from tests.firing import Topic
from tests.matching import World, item, new_world
from workers.exactly_once import Dead
from workers.launcher import events
from workers.launcher.schedule.scheduling import Scheduling

ANN = "ann@a.test"


@pytest.fixture
async def world(tables: Settings, pool: asyncpg.Pool) -> World:
    return await new_world(pool)


@pytest.fixture
async def timers(tables: Settings, pool: asyncpg.Pool) -> launching.World:
    return await retaining.world_of(pool)


async def matched(world: World, *values: str, kind: BatchKind) -> tuple[list[TriggerStart], list[object]]:
    """What is to start for them, and their entries."""
    trigger = None if kind is BatchKind.IMPORT else world.trigger
    messages = await world.messages([item(value, _fname="New") for value in values], kind=kind, trigger=trigger)
    announced = await world.apply(messages)
    return [start for each in announced for start in each.starts], list(await world.entries(bytes.fromhex(messages[0].batch)))


async def test_a_start_finds_profiles_and_changes_none(world: World) -> None:
    (ann,) = await world.bring([item(email=ANN, _fname="Ann")])
    await world.trigger_of("api_import")
    await world.trigger_of("update")

    starts, entries = await matched(world, ANN, "nobody@a.test", kind=BatchKind.START)

    assert starts == [TriggerStart(trigger=world.trigger)]
    assert entries == [ann, {"error": 404, "error_text": "Profile not found", "field": "email"}]
    assert [profile["_fname"] for profile in await world.profiles()] == ["Ann"]


async def test_an_import_starts_only_what_imports_set_off(world: World) -> None:
    set_off = await world.trigger_of("api_import")

    starts, entries = await matched(world, ANN, kind=BatchKind.IMPORT)

    assert starts == [TriggerStart(trigger=set_off)]
    assert [profile["_id"] for profile in await world.profiles()] == [entry["profile_id"] for entry in entries if isinstance(entry, dict)]


async def scheduled(world: launching.World, batch: bytes, kind: BatchKind, dead: list[Dead] | None = None) -> list[str]:
    """The events of a message about the batch's two imported items, or of a dead letter in its place."""
    await world.pool.execute(
        "UPDATE batches SET kind = $2, trigger = CASE WHEN $2 IN ('import', 'set') THEN NULL ELSE trigger END WHERE id = $1", batch, kind
    )
    message = ProfilesMatched(batch=batch.hex(), chunk=0, items=[0, 1], profiles="0a" * 24, starts=[])
    topic = Topic()
    room = Scheduling(world.pool, topic.publish, partial(events.outgoing, "events", cloud=False), lambda _: None)
    announced = [] if dead else [each async for each in room.prepare([message])]
    async with world.pool.acquire() as connection, connection.transaction():
        await room.apply(connection, announced, dead or [])
    return [event["event_type"] for event in topic.events()]


@pytest.mark.promise("P-EVENT-01")
async def test_only_imports_are_told(timers: launching.World) -> None:
    told = {kind: await scheduled(timers, await timers.batch(2), kind) for kind in BatchKind}

    imported = ["import_api"] * 2
    assert told == {BatchKind.IMPORT_AND_START: imported, BatchKind.IMPORT: imported, BatchKind.START: [], BatchKind.SET: []}


@pytest.mark.promise("P-OPS-19")
@pytest.mark.parametrize("fate", ["told", "dead"])
async def test_an_import_is_over_when_it_is_told_or_given_up(tables: Settings, timers: launching.World, fate: str) -> None:
    batch = await retaining.finished(timers)
    await timers.pool.execute("DELETE FROM launches")
    await timers.pool.execute("UPDATE batches SET kind = 'import', trigger = NULL")
    await timers.pool.execute("UPDATE results SET items = '{0,1,2}', profiles = decode(repeat('0a', 36), 'hex'), errors = '{\"2\": {}}'")
    await retaining.sweep(timers, tables)
    before = await retaining.left(timers)

    await scheduled(timers, batch, BatchKind.IMPORT, [Dead("matches", 0, 0, "unreadable", batch, 0)] if fate == "dead" else None)
    await retaining.sweep(timers, tables)

    assert (before, await retaining.left(timers)) == ([batch], [])
