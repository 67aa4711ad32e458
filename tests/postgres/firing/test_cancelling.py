"""Launches that are taken back."""

import asyncio
from datetime import timedelta

import pytest

from schemas.messages import TriggerStart
from store.cancelling import Cancelled, Which, cancel
from tests.firing import FINISHED, Launcher, Topic, counts, schedule
from tests.launching import Remembering, World, matched
from workers.launcher.channels.channel import Deferred
from workers.launcher.groups import launches
from workers.launcher.groups.group import started_by
from workers.launcher.model import Launch

pytestmark = pytest.mark.promise("P-LAUNCH-41", "P-HTTP-34")
LATER = timedelta(days=30)


async def take_back(world: World, **which: object) -> Cancelled:
    async with world.pool.acquire() as connection:
        return await cancel(connection, Which(1, **which))  # type: ignore[arg-type]


async def test_a_batch_that_is_due_in_a_month_ends_now_and_nothing_of_it_leaves(world: World, topic: Topic) -> None:
    batch = await schedule(world, "a@shop.test", "b@shop.test", batch=await world.batch(total=2, due_in=LATER))
    other = await schedule(world, "c@shop.test", batch=await world.batch(due_in=LATER))

    cancelled = await take_back(world, batch=batch)
    due = [row["batch"] for row in await world.pool.fetch("SELECT batch FROM launches WHERE run_at <= now()")]
    launcher = Launcher(world, Remembering(), topic)
    await launcher.work_once()

    assert (cancelled.cancelled, cancelled.not_yet_scheduled, due) == (2, 0, [batch])
    assert topic.types() == ["cancel", "cancel"]
    assert launcher.channel.sent == []
    assert await world.pool.fetchval("SELECT cancelled FROM launches WHERE batch = $1 AND finished_at IS NOT NULL", batch) == 2
    # It was claimed before its time by this test, and let go until then.
    assert await world.pool.fetchval("SELECT run_at > now() + interval '29 days' FROM launches WHERE batch = $1", other)


@pytest.mark.promise("P-OPS-40")
@pytest.mark.parametrize("by", ["batch", "trigger"])
async def test_what_was_taken_back_need_not_be_kept_until_it_would_have_been_due(world: World, topic: Topic, by: str) -> None:
    batch = await schedule(world, "a@shop.test", batch=await world.batch(due_in=LATER))
    await schedule(world, "b@shop.test", batch=await world.batch(due_in=LATER), trigger=await world.trigger_of(9))
    await world.pool.execute("UPDATE batches SET look_at = now() + interval '30 days'")

    await take_back(world, **{by: batch if by == "batch" else world.trigger})
    looked_at = [row["id"] for row in await world.pool.fetch("SELECT id FROM batches WHERE look_at <= now()")]

    assert looked_at == [batch]


async def test_of_a_group_only_the_profile_s_own_is_taken_back(world: World, topic: Topic) -> None:
    await schedule(world, "a@shop.test", "b@shop.test", "c@shop.test")
    profile = await world.pool.fetchval("SELECT id FROM profiles WHERE data->>'email' = 'b@shop.test'")

    cancelled = await take_back(world, profile=profile)
    launcher = Launcher(world, Remembering(), topic)
    await launcher.work_once()

    assert cancelled.cancelled == 1
    assert launcher.channel.addresses() == ["a@shop.test", "c@shop.test"]
    assert sorted(topic.types()) == ["cancel", "launch", "launch", "send", "send"]
    assert (await counts(world)).items() >= (FINISHED | {"launched": 2}).items()


async def test_a_trigger_s_are_taken_back_in_all_batches_of_before_and_in_none_of_after(world: World, topic: Topic) -> None:
    other = await world.trigger_of(9)
    for trigger in (world.trigger, world.trigger, other):
        await schedule(world, "before@shop.test", trigger=trigger)

    cancelled = await take_back(world, trigger=world.trigger)
    await schedule(world, "after@shop.test")
    launcher = Launcher(world, Remembering(), topic)
    await launcher.work_once()

    assert cancelled.cancelled == 2
    assert sorted(launcher.channel.addresses()) == ["after@shop.test", "before@shop.test"]


async def test_what_is_still_on_its_way_is_taken_back_as_it_comes(world: World, topic: Topic) -> None:
    batch = await world.batch(total=3, due_in=LATER)
    await world.pool.execute("INSERT INTO batch_progress (batch, total, done) VALUES ($1, 3, '000')", batch)

    cancelled = await take_back(world, batch=batch)
    await schedule(world, "late@shop.test", batch=batch)
    launcher = Launcher(world, Remembering(), topic)

    assert (cancelled.cancelled, cancelled.not_yet_scheduled) == (0, 3)
    assert await world.pool.fetchval("SELECT run_at <= now() FROM launches")
    await launcher.work_once()
    assert topic.types() == ["cancel"]


async def test_one_that_was_begun_goes_on(world: World, topic: Topic) -> None:
    async def greylist(_: Launch) -> None:
        raise Deferred("SMTP 450")

    await schedule(world, "a@shop.test")
    launcher = Launcher(world, Remembering(greylist), topic)
    await launcher.work_once()

    assert (await take_back(world, trigger=world.trigger)).cancelled == 0
    launcher.channel.does = None
    await launcher.work_once()

    assert topic.types() == ["launch", "send"]


async def test_a_page_that_takes_long_begins_none_that_was_taken_back_meanwhile(world: World, topic: Topic) -> None:
    first, go_on = asyncio.Event(), asyncio.Event()

    async def wait(_: Launch) -> None:
        first.set()
        await go_on.wait()

    await schedule(world, *[f"{number}@shop.test" for number in range(20)])
    launcher = Launcher(world, Remembering(wait), topic)
    working = asyncio.create_task(launcher.work_once())
    await first.wait()
    cancelled = await take_back(world, trigger=world.trigger)
    # As long as a launcher may take until it has read it; the API answers no sooner.
    await asyncio.sleep(4)
    begun = 4
    go_on.set()
    await working

    assert (cancelled.cancelled, cancelled.under_way) == (0, 1)
    assert len(launcher.channel.sent) == begun
    assert topic.types().count("cancel") == 20 - begun


async def test_the_repeat_of_a_mark_counts_none_twice(world: World, topic: Topic) -> None:
    batch = await schedule(world, "a@shop.test")
    await take_back(world, batch=batch)
    topic.away = True
    await Launcher(world, Remembering(), topic).work_once()
    topic.away = False

    await Launcher(world, Remembering(), topic).work_once()

    assert topic.types() == ["cancel"]
    assert await world.pool.fetchval("SELECT cancelled FROM launches") == 1


async def test_what_was_taken_back_before_is_not_counted_again(world: World) -> None:
    batch = await schedule(world, *[f"{name}@shop.test" for name in "abcde"], batch=await world.batch(total=5, due_in=LATER))
    profile = await world.pool.fetchval("SELECT id FROM profiles WHERE data->>'email' = 'b@shop.test'")
    asked: list[dict[str, object]] = [
        {"profile": profile},
        {"profile": profile},
        {"batch": batch},
        {"trigger": world.trigger},
        {"batch": batch},
    ]

    assert [(await take_back(world, **which)).cancelled for which in asked] == [1, 0, 4, 0, 0]
    # Another batch of the same trigger and profile, which came later.
    later = await world.batch(due_in=LATER)
    async with world.pool.acquire() as connection:
        message = matched(later, {0: profile}, [TriggerStart(trigger=world.trigger)])
        await launches.insert(connection, started_by([message]))
    assert (await take_back(world, profile=profile)).cancelled == 1


async def test_what_is_on_its_way_is_told_once(world: World) -> None:
    batch = await world.batch(total=3, due_in=LATER)
    await world.pool.execute("INSERT INTO batch_progress (batch, total, done) VALUES ($1, 3, '000')", batch)

    assert [(await take_back(world, batch=batch)).not_yet_scheduled for _ in range(2)] == [3, 0]
