"""Launches that are put off: they leave their group, come again, and end."""

import asyncio
from datetime import timedelta

import pytest

from tests.firing import Launcher, Topic, claim, counts, schedule
from tests.launching import Remembering, World, subscription
from workers.launcher.channels.channel import Deferred, Rejected
from workers.launcher.channels.slots import Slots
from workers.launcher.deliver import delivery, holds, looks, sending
from workers.launcher.groups import marks
from workers.launcher.groups.marks import Marked, Marks
from workers.launcher.model import Launch

_FINISHED = "SELECT count(*) = count(finished_at) FROM launches"


@pytest.mark.promise("P-LAUNCH-14", "P-LAUNCH-27")
async def test_many_recipients_that_are_put_off_keep_nobody_behind_them_waiting(world: World, topic: Topic) -> None:
    async def refuse(launch: Launch) -> None:
        if launch.recipient.address.endswith("@dead.example"):
            raise Deferred("SMTP 450", 450)

    dead = [f"{number}@dead.example" for number in range(100)]
    await schedule(world, *dead, *(f"{number}@example.com" for number in range(100)))
    launcher = Launcher(world, Remembering(refuse), topic)

    await launcher.work_once()
    first = len(launcher.channel.sent)
    while not await world.pool.fetchval(_FINISHED):
        await world.pool.execute("UPDATE launches SET held_since = now() - interval '8 days' WHERE finished_at IS NULL")
        await launcher.work_once()

    assert first == 100
    assert (await counts(world)).items() >= {"launched": 100, "failed": 100}.items()
    assert sorted(topic.types()) == sorted(["launch", "send"] * 100 + ["launch", "fail"] * 100)


@pytest.mark.promise("P-LAUNCH-27", "P-EVENT-02")
async def test_a_launch_that_is_put_off_again_and_again_fails_after_its_time(world: World, topic: Topic) -> None:
    async def refuse(_launch: Launch) -> None:
        raise Deferred("SMTP 450")

    await schedule(world, "a@example.com")
    launcher = Launcher(world, Remembering(refuse), topic, settings={"launch_patience": timedelta(seconds=30)})
    attempts = 0
    while not await world.pool.fetchval(_FINISHED):
        attempts += 1
        await launcher.work_once()

    # After 5, 10 and 15 seconds; then its 30 are over.
    assert attempts == 4
    assert topic.types() == ["launch", "fail"]
    assert topic.events()[1]["event_data"]["reason"] == "gave up: SMTP 450"


@pytest.mark.promise("P-EVENT-09")
@pytest.mark.parametrize("in_doubt", [False, True])
async def test_a_launch_that_is_given_up_names_the_subscription_that_it_was_for(world: World, topic: Topic, in_doubt: bool) -> None:
    async def refuse(_launch: Launch) -> None:
        raise Deferred("SMTP 450", in_doubt=in_doubt)

    resource = await world.pool.fetchval(
        "INSERT INTO resources (account, number, name, channel, database) VALUES (1, 24, 'News', 'email', $1) RETURNING id", world.database
    )
    subscriptions = [subscription("late@example.com", priority=1), subscription("ann@example.com")]
    await schedule(world, None, trigger=await world.trigger_of(9, resource=resource), subscriptions=subscriptions)
    launcher = Launcher(world, Remembering(refuse), topic, settings={"launch_patience": timedelta(seconds=5)})
    while not await world.pool.fetchval(_FINISHED):
        await launcher.work_once()

    assert topic.types() == ["launch", "fail"]
    assert topic.events()[1]["subscription"] == subscriptions[1]


@pytest.mark.promise("P-LAUNCH-18", "P-LAUNCH-27")
async def test_one_that_is_asked_to_wait_for_longer_than_it_has_time_is_tried_once_more_at_its_end(world: World, topic: Topic) -> None:
    async def refuse(_launch: Launch) -> None:
        raise Deferred("HTTP 502", 502, rest=86400.0)

    await schedule(world, "a@example.com")
    launcher = Launcher(world, Remembering(refuse), topic, settings={"launch_patience": timedelta(hours=2)})
    await launcher.work_once()
    rests = await world.pool.fetchval("SELECT run_at - now() FROM launches WHERE attempt = 1")
    await launcher.work_once()

    assert timedelta(hours=1) < rests <= timedelta(hours=2)
    assert topic.types() == ["launch", "fail"]
    assert await world.pool.fetchval("SELECT attempt FROM failures") == 1


@pytest.mark.promise("P-LAUNCH-28")
async def test_a_mail_that_may_have_arrived_is_sent_again_twice_at_most(world: World, topic: Topic) -> None:
    tried: list[str] = []

    async def vanish(launch: Launch) -> None:
        tried.append(launch.id)
        raise Deferred("SMTPServerDisconnected", in_doubt=True)

    await schedule(world, "a@example.com")
    launcher = Launcher(world, Remembering(vanish), topic)
    while not await world.pool.fetchval(_FINISHED):
        await launcher.work_once()

    assert (len(tried), len(set(tried))) == (3, 1)
    assert topic.types() == ["launch", "fail"]


@pytest.mark.promise("P-LAUNCH-28", "P-OPS-13")
async def test_what_our_own_stop_cuts_off_counts_for_nobody(world: World, topic: Topic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "_LOOK_EVERY", 0.05)
    monkeypatch.setattr(sending, "_GRACE", 0.0)
    # Long before the group is cut off, so that what has ended can be marked.
    monkeypatch.setattr(delivery, "_GRACE", 3600.0)

    async def hang(_launch: Launch) -> None:
        launcher.stop.set()
        await asyncio.Event().wait()

    await schedule(world, "a@example.com")
    launcher = Launcher(world, Remembering(hang), topic)

    await asyncio.wait_for(launcher.work_once(), 10)

    assert await world.pool.fetchrow("SELECT attempt, doubts, claims, bit_count(done), run_at <= now() FROM launches") == (0, 0, 0, 0, True)


@pytest.mark.promise("P-LAUNCH-29")
async def test_what_has_ended_is_marked_while_a_slow_one_is_under_way(world: World, topic: Topic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "_LOOK_EVERY", 0.05)
    released = asyncio.Event()

    async def take_time(launch: Launch) -> None:
        if launch.recipient.address.startswith("slow"):
            await released.wait()

    await schedule(world, "slow@example.com", "a@example.com")
    launcher = Launcher(world, Remembering(take_time), topic)
    working = asyncio.create_task(launcher.work_once())
    async with asyncio.timeout(10):
        while not topic.types():
            await asyncio.sleep(0.01)
    told, marked = topic.types(), await world.pool.fetchval("SELECT launched FROM launches")
    released.set()
    await working

    assert (told, marked) == (["launch", "send"], 1)
    assert (await counts(world)).items() >= {"launched": 2, "finished": True}.items()


@pytest.mark.promise("P-LAUNCH-29", "P-LAUNCH-15")
async def test_a_slow_send_keeps_its_lease(world: World, topic: Topic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(sending, "_LOOK_EVERY", 0.05)
    begun, released = asyncio.Event(), asyncio.Event()

    async def take_time(_launch: Launch) -> None:
        begun.set()
        await released.wait()

    await schedule(world, "a@example.com")
    launcher = Launcher(world, Remembering(take_time), topic, lease=timedelta(seconds=1))
    working = asyncio.create_task(launcher.work_once())
    await asyncio.wait_for(begun.wait(), 10)
    async with asyncio.timeout(20):
        # Its lease has been over twice by then.
        while not await world.pool.fetchval("SELECT now() > due_at + interval '3 seconds' FROM launches"):
            assert await claim(world) == []
            await asyncio.sleep(0.05)
    released.set()
    await working

    assert launcher.channel.addresses() == ["a@example.com"]


@pytest.mark.promise("P-LAUNCH-09")
async def test_a_trigger_that_is_switched_off_in_the_middle_skips_the_rest(
    world: World, topic: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(looks, "_AGAIN_AFTER", 0.0)
    monkeypatch.setattr(sending, "_LOOK_EVERY", 0.1)

    async def switch_off(_launch: Launch) -> None:
        await world.pool.execute("UPDATE triggers SET active = false")
        for _ in range(2):
            await launcher.looked()

    await schedule(world, "a@example.com", "b@example.com", "c@example.com")
    # Two slots, of which an account has one.
    launcher = Launcher(world, Remembering(switch_off, slots=Slots(2)), topic, page=1)
    await launcher.work_once()

    assert (await counts(world)).items() >= {"launched": 1, "skipped": 2, "finished": True}.items()


@pytest.mark.promise("P-LAUNCH-01")
async def test_a_mark_that_is_written_twice_counts_once(world: World) -> None:
    await schedule(world, "a@example.com", "b@example.com", "c@example.com")
    (group,) = await claim(world)
    settled = Marks(sent=[0], failed=[1], leaving=[2], groups=[group.leaving([2], 0, None, timedelta(seconds=5))])
    for _ in range(2):
        await marks.mark_and_leave(world.pool, Marked(group, settled, None))

    found = await world.pool.fetch("SELECT attempt, items, launched, failed, bit_count(done) FROM launches ORDER BY attempt")
    assert [tuple(row) for row in found] == [(0, [0, 1, 2], 1, 1, 3), (1, [2], 0, 0, 0)]


@pytest.mark.promise("P-LAUNCH-30")
async def test_a_server_that_refuses_everybody_fails_nobody(world: World, topic: Topic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(holds, "FIRST_PROBE", 0.0)
    blocked = True

    async def block(_launch: Launch) -> None:
        if blocked:
            raise Rejected("554 blocked", 554)

    await schedule(world, *(f"{number}@{number}.example" for number in range(30)))
    launcher = Launcher(world, Remembering(block), topic)

    await launcher.work_once()
    failed, blocked = (await counts(world))["failed"], False
    while not await world.pool.fetchval(_FINISHED):
        await launcher.work_once()

    assert failed == 0
    assert (await counts(world)).items() >= {"launched": 30, "failed": 0}.items()
