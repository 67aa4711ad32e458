"""From matched messages to events and groups."""

import json
from collections.abc import Collection, Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from functools import partial
from typing import Any

import asyncpg
import pytest
from msgspec import structs

from schemas.ids import event_id
from schemas.messages import NO_MD5, ProfilesMatched, TriggerStart
from schemas.settings import Settings
from schemas.topics import Outgoing
from tests.launching import World, matched, new_world
from workers.launcher import events
from workers.launcher.schedule import scheduling
from workers.launcher.schedule.scheduling import Announced, Scheduling


@dataclass
class Desk:
    """A scheduling room whose publications and wake-ups are recorded."""

    world: World
    published: list[list[Outgoing]] = field(default_factory=list)
    woken: int = 0

    def room(self) -> Scheduling:
        return Scheduling(self.world.pool, self._publish, partial(events.outgoing, "t.events", cloud=False), self._wake)

    async def process(self, *messages: ProfilesMatched) -> None:
        """What the engine does with a chunk."""
        room = self.room()
        prepared = [each async for each in room.prepare(messages)]
        async with self.world.pool.acquire() as connection, connection.transaction():
            assert await room.apply(connection, prepared, []) == []
        await room.committed(messages)

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(record.value) for records in self.published for record in records]

    async def _publish(self, records: Sequence[Outgoing]) -> None:
        self.published.append(list(records))

    def _wake(self, _lanes: Collection[tuple[int, int]]) -> None:
        self.woken += 1


@pytest.fixture
async def desk(tables: Settings, pool: asyncpg.Pool) -> Desk:
    return Desk(await new_world(pool))


def message(world: World, batch: bytes, profiles: dict[int, bytes]) -> ProfilesMatched:
    return matched(batch, profiles, [TriggerStart(trigger=world.trigger)])


@pytest.mark.promise("P-EVENT-01")
async def test_each_imported_item_gives_one_import_event(desk: Desk) -> None:
    batch = await desk.world.batch(total=2, custom_data={"a": 1, "b": 1})
    await desk.world.custom_data(batch, {1: {"b": 2}})
    profiles = await desk.world.profiles("ann@example.com", None)

    await desk.process(message(desk.world, batch, profiles))

    told = {event["event_data"]["item"]: event for event in desk.events()}
    assert {item: event["event_id"] for item, event in told.items()} == {n: event_id(f"{batch.hex()}/{n}", "import_api") for n in (0, 1)}
    assert [told[n]["custom_data"] for n in (0, 1)] == [{"a": 1, "b": 1}, {"a": 1, "b": 2}]
    assert [told[n].get("_md5") for n in (0, 1)] == ["257c57037d384ae37ea27a07e8a01665", None]
    assert [(event["list_id"], event["account_id"], event["profile_id"]) for event in told.values()] == [
        (3, 1, id_.hex()) for id_ in profiles.values()
    ]


@pytest.mark.promise("P-EVENT-04")
async def test_an_import_event_says_what_the_matcher_knew_whatever_the_profile_holds_by_then(desk: Desk) -> None:
    batch = await desk.world.batch(total=2)
    profiles = await desk.world.profiles("ann@example.com", "bob@example.com")

    await desk.process(structs.replace(message(desk.world, batch, profiles), md5s="0a" * 16 + NO_MD5))

    assert [event.get("_md5") for event in desk.events()] == ["0a" * 16, None]


@pytest.mark.promise("P-EVENT-05")
async def test_an_import_event_is_keyed_by_its_profile(desk: Desk) -> None:
    profiles = await desk.world.profiles("ann@example.com")

    await desk.process(message(desk.world, await desk.world.batch(), profiles))

    assert [(record.topic, record.key) for record in desk.published[0]] == [("t.events", profiles[0].hex().encode())]


async def test_events_are_published_before_anything_is_scheduled(desk: Desk) -> None:
    profiles = await desk.world.profiles("ann@example.com")

    told = message(desk.world, await desk.world.batch(), profiles)
    assert [each.message async for each in desk.room().prepare([told])] == [told]

    assert len(desk.events()) == 1
    assert await desk.world.pool.fetchval("SELECT count(*) FROM launches") == 0


@pytest.mark.promise("P-EVENT-04")
async def test_a_message_that_comes_again_repeats_its_events_and_starts_nothing(desk: Desk) -> None:
    again = message(desk.world, await desk.world.batch(), await desk.world.profiles("ann@example.com"))

    await desk.process(again)
    await desk.process(again)

    assert len({event["event_id"] for event in desk.events()}) == 1
    assert await desk.world.pool.fetchval("SELECT count(*) FROM launches") == 1


async def test_a_batch_that_was_deleted_says_and_starts_nothing(desk: Desk) -> None:
    profiles = await desk.world.profiles("ann@example.com")

    await desk.process(message(desk.world, b"\x00" * 12, profiles))

    assert desk.events() == []
    assert await desk.world.pool.fetchval("SELECT count(*) FROM launches") == 0


@pytest.mark.parametrize(("due_in", "woken"), [(timedelta(0), 1), (timedelta(minutes=5), 0)])
async def test_firing_is_woken_when_something_is_due_already(desk: Desk, due_in: timedelta, woken: int) -> None:
    await desk.process(message(desk.world, await desk.world.batch(due_in=due_in), await desk.world.profiles("ann@example.com")))

    assert desk.woken == woken


async def test_firing_is_not_woken_before_the_commit(desk: Desk) -> None:
    due = message(desk.world, await desk.world.batch(), await desk.world.profiles("ann@example.com"))
    async with desk.world.pool.acquire() as connection, connection.transaction():
        await desk.room().apply(connection, [Announced(due, starts=True)], [])

        assert desk.woken == 0


@pytest.mark.promise("P-EVENT-03")
async def test_a_number_is_told_as_it_was_written_and_not_in_hundreds_of_digits(desk: Desk) -> None:
    batch = await desk.world.batch(custom_data={"n": [1e300] * 100})

    await desk.process(message(desk.world, batch, await desk.world.profiles("ann@example.com")))

    (record,) = [record for records in desk.published for record in records]
    assert len(record.value) < 2_000
    assert desk.events()[0]["custom_data"] == {"n": [1e300] * 100}


@pytest.mark.promise("P-OPS-17")
async def test_large_events_are_published_some_at_a_time(desk: Desk, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(scheduling, "_MOST_BYTES", 40_000)
    batch = await desk.world.batch(total=20, custom_data={"n": "x" * 16_000})

    await desk.process(message(desk.world, batch, await desk.world.profiles(*(f"{n}@example.com" for n in range(20)))))

    assert len(desk.events()) == 20
    assert max(sum(len(record.value) for record in records) for records in desk.published) < 80_000


@pytest.mark.promise("P-EVENT-04")
async def test_an_import_event_that_comes_again_is_the_same_in_every_field(desk: Desk) -> None:
    again = message(desk.world, await desk.world.batch(), await desk.world.profiles("ann@example.com"))

    await desk.process(again)
    await desk.process(again)

    first, second = desk.events()
    assert first == second


@pytest.mark.promise("P-DOOR-15")
async def test_what_a_hastened_batch_starts_later_is_due_too(desk: Desk) -> None:
    world = desk.world
    other = await world.trigger_of(9, skip_minutes=60)
    batch = await world.batch(due_in=timedelta(hours=1))
    await world.pool.execute("UPDATE batches SET hastened_at = now()")
    profiles = await world.profiles("ann@example.com")

    await desk.process(matched(batch, profiles, [TriggerStart(trigger=other)]))

    assert await world.pool.fetchval("SELECT due_at <= now() FROM launches")
