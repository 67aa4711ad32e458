"""From a due group to its end: pages, marks, events, leases."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import pytest

from schemas.ids import launch_id
from schemas.messages import TriggerStart
from schemas.topics import Outgoing
from tests.firing import FINISHED, LEASE, Launcher, Topic, claim, counts, schedule
from tests.launching import Remembering, World, matched, subscription
from workers.launcher.channels.channel import Deferred, Rejected, Unavailable
from workers.launcher.channels.slots import Slots
from workers.launcher.clock import clock
from workers.launcher.deliver import delivery, holds, looks, profiles, sending
from workers.launcher.groups import launches
from workers.launcher.groups.group import started_by
from workers.launcher.groups.naming import LeaseLost
from workers.launcher.model import Launch


@pytest.mark.promise("P-EVENT-02")
async def test_a_due_launch_is_sent_told_and_finished(world: World, topic: Topic) -> None:
    await schedule(world, "ann@example.com")
    launcher = Launcher(world, Remembering(), topic)

    await launcher.work_once()

    assert launcher.channel.addresses() == ["ann@example.com"]
    assert topic.types() == ["launch", "send"]
    assert (await counts(world)).items() >= (FINISHED | {"launched": 1}).items()


@pytest.mark.promise("P-EVENT-05")
async def test_events_are_keyed_by_profile(world: World, topic: Topic) -> None:
    await schedule(world, "ann@example.com")

    await Launcher(world, Remembering(), topic).work_once()

    assert {record.key.decode() for record in topic.records} == {event["profile_id"] for event in topic.events()}


@pytest.mark.promise("P-EVENT-03")
async def test_an_event_carries_the_items_custom_data_over_the_batchs(world: World, topic: Topic) -> None:
    batch = await world.batch(custom_data={"a": 1, "b": 1})
    await world.custom_data(batch, {0: {"b": 2, "c": None}})
    await schedule(world, "ann@example.com", batch=batch)

    await Launcher(world, Remembering(), topic).work_once()

    assert [event["custom_data"] for event in topic.events()] == [{"a": 1, "b": 2, "c": None}] * 2


@pytest.mark.promise("P-LAUNCH-04")
async def test_the_profile_is_read_when_the_launch_fires(world: World, topic: Topic) -> None:
    await schedule(world, "old@example.com")
    await world.pool.execute("""UPDATE profiles SET data = '{"email": "new@example.com"}'""")
    launcher = Launcher(world, Remembering(), topic)

    await launcher.work_once()

    assert launcher.channel.addresses() == ["new@example.com"]


@pytest.mark.promise("P-LAUNCH-05")
async def test_a_trigger_with_a_resource_sends_to_the_subscription(world: World, topic: Topic) -> None:
    resource = await world.pool.fetchval(
        "INSERT INTO resources (account, number, name, channel, database) VALUES (1, 24, 'News', 'email', $1) RETURNING id", world.database
    )
    trigger = await world.trigger_of(9, resource=resource)
    await schedule(world, "own@example.com", trigger=trigger, subscriptions=[subscription("sub@example.com")])

    await Launcher(world, Remembering(), topic).work_once()

    assert topic.events()[1]["subscription"] == subscription("sub@example.com")


@pytest.mark.promise("P-LAUNCH-09")
async def test_a_trigger_that_is_switched_off_before_it_is_due_is_seen(world: World, topic: Topic) -> None:
    await schedule(world, "ann@example.com")
    await world.pool.execute("UPDATE triggers SET active = false")
    launcher = Launcher(world, Remembering(), topic)

    await launcher.work_once()

    assert (launcher.channel.sent, topic.types(), topic.events()[1]["event_data"]["reason"]) == ([], ["launch", "skip"], "trigger_inactive")
    assert (await counts(world)).items() >= (FINISHED | {"skipped": 1}).items()


@pytest.mark.promise("P-TRIG-04")
async def test_a_trigger_that_the_batch_does_not_name_gets_no_content_and_no_files(world: World, topic: Topic) -> None:
    batch = await world.batch(content={"page": "form"})
    await world.pool.execute("INSERT INTO attachments (batch, position, name, mimetype, data) VALUES ($1, 0, 'a', 'text/csv', 'x')", batch)
    profiles = await world.profiles("ann@example.com")
    other = await world.trigger_of(9)
    message = matched(batch, profiles, [TriggerStart(trigger=world.trigger), TriggerStart(trigger=other)])
    async with world.pool.acquire() as connection:
        await launches.insert(connection, started_by([message]))
    launcher = Launcher(world, Remembering(), topic)

    await launcher.work_once()

    given = {sent.campaign.trigger: (sent.campaign.content, bool(sent.campaign.enclosed)) for sent in launcher.channel.sent}
    assert given == {8: ({"page": "form"}, True), 9: ({}, False)}


@pytest.mark.promise("P-LAUNCH-14")
async def test_a_failed_launch_keeps_its_reason_and_its_neighbours_go_on(world: World, topic: Topic) -> None:
    async def refuse(launch: Launch) -> None:
        if launch.recipient.address.startswith("no"):
            raise Rejected("550 no such user")

    await schedule(world, "ann@example.com", "no@example.com", None)

    await Launcher(world, Remembering(refuse), topic).work_once()

    assert (await counts(world)).items() >= (FINISHED | {"launched": 1, "skipped": 1, "failed": 1}).items()
    assert [event["event_data"]["reason"] for event in topic.events() if event["event_type"] == "fail"] == ["550 no such user"]


@pytest.mark.promise("P-LAUNCH-01", "P-LAUNCH-11")
async def test_what_is_deferred_is_sent_later_and_the_rest_not_again(world: World, topic: Topic) -> None:
    greylisted = {"b@example.com"}

    async def greylist(launch: Launch) -> None:
        if launch.recipient.address in greylisted:
            greylisted.clear()
            raise Deferred("SMTP 450")

    batch = await schedule(world, "a@example.com", "b@example.com", "c@example.com")
    launcher = Launcher(world, Remembering(greylist), topic, page=2)

    await launcher.work_once()
    resting = await counts(world)
    await launcher.work_once()

    assert resting.items() >= {"launched": 2, "failed": 0, "finished": False, "rests": True}.items()
    assert launcher.channel.addresses() == ["a@example.com", "c@example.com", "b@example.com"]
    assert launcher.channel.sent[2].id == launch_id(batch, 1, world.trigger)


async def test_a_mail_server_that_is_away_fails_nothing_and_loses_nothing(
    world: World, topic: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(holds, "FIRST_PROBE", 0.0)
    away = True

    async def be_away(_launch: Launch) -> None:
        if away:
            raise Unavailable("refused")

    await schedule(world, "a@example.com", "b@example.com", "c@example.com")
    launcher = Launcher(world, Remembering(be_away), topic, page=1)

    await launcher.work_once()
    resting, told = await counts(world), topic.types()
    away = False
    await launcher.work_once()

    assert (resting.items() >= {"launched": 0, "failed": 0, "finished": False, "rests": True}.items(), told) == (True, [])
    assert len(launcher.channel.sent) == 3


@pytest.mark.promise("P-OPS-15")
async def test_a_broker_that_is_back_after_many_claims_is_noticed_soon(world: World, topic: Topic) -> None:
    await schedule(world, "a@example.com")
    await world.pool.execute("UPDATE launches SET fence = 20")
    topic.away = True
    await Launcher(world, Remembering(), topic).work_once()

    assert await world.pool.fetchval("SELECT run_at < now() + interval '3 seconds' FROM launches")


@pytest.mark.promise("P-OPS-03", "P-EVENT-04")
async def test_events_that_were_marked_but_not_published_are_published_by_the_next_claim(world: World, topic: Topic) -> None:
    await schedule(world, "a@example.com", "b@example.com")
    launcher = Launcher(world, Remembering(), topic, page=1)
    topic.away = True
    await launcher.work_once()
    kept = await counts(world)
    topic.away = False

    await launcher.work_once()

    assert kept.items() >= {"launched": 1, "outbox": True, "rests": True}.items()
    assert launcher.channel.addresses() == ["a@example.com", "b@example.com"]
    assert [(event["event_type"], event["event_data"]["item"]) for event in topic.events()] == [
        ("launch", 0),
        ("send", 0),
        ("launch", 1),
        ("send", 1),
    ]


@pytest.mark.promise("P-LAUNCH-16")
async def test_a_launcher_whose_lease_was_taken_over_marks_nothing_and_tells_nobody(world: World, topic: Topic) -> None:
    async def freeze(launch: Launch) -> None:
        if launch.recipient.address == "b@example.com":
            # Until it is cut off.
            await asyncio.Event().wait()
        await world.pool.execute("UPDATE launches SET run_at = now()")
        await claim(world, LEASE, 1)

    await schedule(world, "a@example.com", "b@example.com")
    launcher = Launcher(world, Remembering(freeze), topic, page=1)

    with pytest.raises(LeaseLost):
        await launcher.work_once()

    assert (launcher.channel.addresses(), topic.records) == (["a@example.com"], [])


@pytest.mark.promise("P-LAUNCH-15")
async def test_a_lease_is_kept_while_pages_go_on(world: World, topic: Topic) -> None:
    async def until_renewed(_launch: Launch) -> None:
        async with asyncio.timeout(10):
            while not await world.pool.fetchval("SELECT run_at > now() + interval '20 s' FROM launches"):
                await asyncio.sleep(0.01)

    await schedule(world, "a@example.com")
    (group,) = await claim(world, timedelta(seconds=14), 1)

    await Launcher(world, Remembering(until_renewed), topic).work(group, asked=clock() - 16)

    assert (await counts(world)).items() >= {"launched": 1}.items()


@pytest.mark.promise("P-OPS-13")
async def test_a_launcher_that_is_told_to_stop_finishes_its_page_and_gives_the_rest_back(world: World, topic: Topic) -> None:
    stop = asyncio.Event()

    async def then_stop(_launch: Launch) -> None:
        stop.set()

    await schedule(world, "a@example.com", "b@example.com")
    await Launcher(world, Remembering(then_stop), topic, page=1, stop=stop).work_once()

    assert (await counts(world)).items() >= {"launched": 1, "finished": False, "rests": False}.items()
    assert topic.types() == ["launch", "send"]


async def test_a_group_whose_batch_was_deleted_is_let_go(world: World, topic: Topic) -> None:
    batch = await schedule(world, "a@example.com")
    (group,) = await claim(world, LEASE, 1)
    await world.pool.execute("DELETE FROM batches WHERE id = $1", batch)

    with pytest.raises(LeaseLost):
        await Launcher(world, Remembering(), topic).work(group)


async def work_beside_one_that_hangs(world: World, topic: Topic, count: int, page: int) -> None:
    """On a group whose first launch ends when all others are marked."""
    released = asyncio.Event()

    async def hang(launch: Launch) -> None:
        if launch.recipient.address == "0@example.com":
            await asyncio.wait_for(released.wait(), 60)

    await schedule(world, *(f"{number}@example.com" for number in range(count)))
    working = asyncio.create_task(Launcher(world, Remembering(hang), topic, page=page).work_once())
    async with asyncio.timeout(20):
        while await world.pool.fetchval("SELECT launched < $1 FROM launches", count - 1):
            await asyncio.sleep(0.02)
    released.set()
    await working


@pytest.mark.promise("P-LAUNCH-43", "P-LAUNCH-29")
async def test_a_recipient_that_hangs_keeps_the_rest_of_its_group_from_nothing(world: World, topic: Topic) -> None:
    await work_beside_one_that_hangs(world, topic, 9, page=3)

    assert (await counts(world)).items() >= {"launched": 9, "finished": True}.items()


@pytest.mark.promise("P-HTTP-34", "P-LAUNCH-09")
async def test_while_a_broker_says_nothing_no_launch_begins_by_what_was_known_long_ago(
    world: World, topic: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sending, "_LOOK_EVERY", 0.05)
    monkeypatch.setattr(looks, "_BELIEVED", 0.3)
    confirmed, asked = asyncio.Event(), asyncio.Event()
    publish = topic.publish

    async def slowly(records: Sequence[Outgoing]) -> None:
        if records:
            asked.set()
            await asyncio.wait_for(confirmed.wait(), 60)
        await publish(records)

    monkeypatch.setattr(topic, "publish", slowly)

    async def wait(_: Launch) -> None:
        await asyncio.sleep(0.05)

    batch = await schedule(world, *(f"{number}@example.com" for number in range(200)))
    # Two slots, of which an account has one: ten seconds of sending.
    launcher = Launcher(world, Remembering(wait, slots=Slots(2)), topic)
    working = asyncio.create_task(launcher.work_once())
    await asyncio.wait_for(asked.wait(), 20)
    await world.pool.execute("INSERT INTO cancels (account, batch) VALUES (1, $1)", batch)
    await asyncio.sleep(0.5)
    sent = len(launcher.channel.sent)
    await asyncio.sleep(0.5)
    later = len(launcher.channel.sent)
    confirmed.set()
    await working

    assert (later, len(launcher.channel.sent)) == (sent, sent)
    assert await world.pool.fetchval("SELECT cancelled FROM launches") == 200 - sent


@pytest.mark.promise("P-LAUNCH-43", "P-OPS-15")
async def test_a_page_that_cannot_be_read_for_a_moment_does_not_wait_for_the_one_that_hangs(
    world: World, topic: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(delivery, "_READ_AGAIN_AFTER", 0.05)
    read, asked, refused = profiles.load, 0, 0

    async def away(*wanted: Any) -> Any:
        nonlocal asked, refused
        asked += 1
        # Not the first page, of which one hangs.
        if asked > 1 and refused < 3:
            refused += 1
            raise ConnectionError("away")
        return await read(*wanted)

    monkeypatch.setattr(profiles, "load", away)

    await work_beside_one_that_hangs(world, topic, 6, page=2)

    assert refused == 3
    assert (await counts(world)).items() >= {"launched": 6, "finished": True}.items()


@pytest.mark.promise("P-OPS-16")
async def test_a_group_that_is_skipped_behind_one_that_hangs_is_not_read_ahead_of_its_marks(
    world: World, topic: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked, released = 0, asyncio.Event()
    read, publish = profiles.load, topic.publish

    async def count(*wanted: Any) -> Any:
        nonlocal asked
        asked += 1
        return await read(*wanted)

    async def never(records: Sequence[Outgoing]) -> None:
        if records:
            await asyncio.wait_for(released.wait(), 60)
        await publish(records)

    monkeypatch.setattr(profiles, "load", count)
    monkeypatch.setattr(topic, "publish", never)

    async def hang(_: Launch) -> None:
        await asyncio.wait_for(released.wait(), 60)

    await schedule(world, "0@example.com", *[None] * 20)
    launcher = Launcher(world, Remembering(hang), topic, page=2)
    working = asyncio.create_task(launcher.work_once())
    async with asyncio.timeout(20):
        while await world.pool.fetchval("SELECT skipped = 0 FROM launches"):
            await asyncio.sleep(0.02)
    await asyncio.sleep(0.5)
    ahead = asked
    released.set()
    await working

    # The one that hangs, the one that is marked, and one beside.
    assert ahead <= 3
    assert (await counts(world)).items() >= {"launched": 1, "skipped": 20, "finished": True}.items()
