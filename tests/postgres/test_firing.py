"""From a due group to its end: pages, marks, events, leases."""

import asyncio
import json
import time
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from structlog.testing import capture_logs

from schemas import metrics
from schemas.ids import launch_id
from schemas.messages import TriggerStart
from schemas.settings import Settings
from schemas.topics import Outgoing
from tests.launching import Remembering, World, matched, new_world, subscription
from workers.kafka import BrokerUnavailable
from workers.launcher import launches
from workers.launcher.channel import Deferred, Refused, Unavailable
from workers.launcher.firing import STUCK, Firing
from workers.launcher.groups import started_by
from workers.launcher.leases import Lease
from workers.launcher.paging import Paging
from workers.launcher.sending import Sending
from workers.launcher.terms import Launch

LEASE = timedelta(seconds=30)


@dataclass
class Topic:
    """Keeps what is published, or says that the broker is away."""

    away: bool = False
    records: list[Outgoing] = field(default_factory=list)

    async def publish(self, records: Sequence[Outgoing]) -> None:
        if self.away and records:
            raise BrokerUnavailable("away")
        self.records += records

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(record.value) for record in self.records]

    def types(self) -> list[str]:
        return [event["event_type"] for event in self.events()]


@pytest.fixture
async def world(tables: Settings, pool: asyncpg.Pool) -> World:
    return await new_world(pool)


@pytest.fixture
def topic() -> Topic:
    return Topic()


@dataclass
class Launcher:
    """The parts of a launcher that fire, put together around a channel."""

    world: World
    channel: Remembering
    topic: Topic
    page: int = 100
    lease: timedelta = LEASE
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    def paging(self) -> Paging:
        sending = Sending({"email": self.channel}, self.lease)
        return Paging(Settings(page=self.page), self.world.pool, self.topic.publish, sending)

    async def work_once(self) -> None:
        """Claim whatever is due, rest or not, and work on it."""
        await self.world.pool.execute("UPDATE launches SET run_at = least(run_at, now()) WHERE finished_at IS NULL")
        asked = time.monotonic()
        for group in await launches.claim(self.world.pool, self.lease, 10):
            await self.paging().work(group, Lease(self.lease, asked), self.stop)


async def schedule(world: World, *emails: str | None, trigger: int | None = None, batch: bytes | None = None, **given: Any) -> bytes:
    """A batch of profiles with these addresses whose launches are due."""
    batch = batch or await world.batch(total=len(emails))
    profiles = await world.profiles(*emails, **given)
    message = matched(batch, profiles, [TriggerStart(trigger=trigger or world.trigger)])
    async with world.pool.acquire() as connection:
        await launches.insert(connection, started_by([message]))
    return batch


async def counts(world: World) -> dict[str, Any]:
    row = await world.pool.fetchrow(
        """
        SELECT launched, skipped, failed, finished_at IS NOT NULL AS finished, outbox IS NOT NULL AS outbox, run_at > now() AS rests
        FROM launches
        """
    )
    return dict(row)


FINISHED = {"finished": True, "outbox": False}


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

    given = {sent.campaign.trigger: (sent.campaign.content, len(sent.campaign.attachments)) for sent in launcher.channel.sent}
    assert given == {8: ({"page": "form"}, 1), 9: ({}, 0)}


@pytest.mark.promise("P-LAUNCH-14")
async def test_a_failed_launch_keeps_its_reason_and_its_neighbours_go_on(world: World, topic: Topic) -> None:
    async def refuse(launch: Launch) -> None:
        if launch.recipient.address.startswith("no"):
            raise Refused("550 no such user")

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


async def test_a_mail_server_that_is_away_fails_nothing_and_loses_nothing(world: World, topic: Topic) -> None:
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
    async def freeze(_launch: Launch) -> None:
        await world.pool.execute("UPDATE launches SET run_at = now()")
        await launches.claim(world.pool, LEASE, 1)

    await schedule(world, "a@example.com", "b@example.com")
    launcher = Launcher(world, Remembering(freeze), topic, page=1)

    with pytest.raises(launches.LeaseLost):
        await launcher.work_once()

    assert (launcher.channel.addresses(), topic.records) == (["a@example.com"], [])


@pytest.mark.promise("P-LAUNCH-15")
async def test_a_lease_is_kept_while_pages_go_on(world: World, topic: Topic) -> None:
    left: list[timedelta] = []

    async def look(_launch: Launch) -> None:
        left.append(await world.pool.fetchval("SELECT run_at - now() FROM launches"))

    await schedule(world, "a@example.com")
    (group,) = await launches.claim(world.pool, timedelta(seconds=14), 1)

    await Launcher(world, Remembering(look), topic).paging().work(group, Lease(LEASE, time.monotonic() - 16), asyncio.Event())

    assert left[0] > timedelta(seconds=20)


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
    (group,) = await launches.claim(world.pool, LEASE, 1)
    await world.pool.execute("DELETE FROM batches WHERE id = $1", batch)

    with pytest.raises(launches.LeaseLost):
        await Launcher(world, Remembering(), topic).paging().work(group, Lease(LEASE, time.monotonic()), asyncio.Event())


# The loop


async def until_finished(world: World) -> None:
    async with asyncio.timeout(10):
        while await world.pool.fetchval("SELECT count(*) FROM launches WHERE finished_at IS NULL"):
            await asyncio.sleep(0.01)


def loop_of(launcher: Launcher, **changes: Any) -> Firing:
    settings = Settings(**{"claim_every": timedelta(seconds=0.05), "lease": LEASE} | changes)
    return Firing(settings, launcher.world.pool, launcher.paging())


async def another_turn(firing: Firing) -> None:
    turned = firing._turned
    async with asyncio.timeout(10):
        while firing._turned == turned:
            await asyncio.sleep(0.01)


@pytest.mark.promise("P-LAUNCH-02")
async def test_a_group_that_falls_due_is_fired_without_being_asked_for(world: World, topic: Topic) -> None:
    sent = asyncio.Event()

    async def tell(_launch: Launch) -> None:
        sent.set()

    launcher = Launcher(world, Remembering(tell), topic)
    async with asyncio.TaskGroup() as loops:
        loops.create_task(loop_of(launcher).run(launcher.stop))
        await schedule(world, "a@example.com", batch=await world.batch(due_in=timedelta(seconds=0.3)))
        await asyncio.wait_for(sent.wait(), 10)
        on_time = await world.pool.fetchval("SELECT now() >= due_at FROM launches")
        launcher.stop.set()

    assert on_time
    assert (await counts(world)).items() >= (FINISHED | {"launched": 1}).items()


async def test_a_wake_claims_at_once(world: World, topic: Topic) -> None:
    sent = asyncio.Semaphore(0)

    async def tell(_launch: Launch) -> None:
        sent.release()

    await schedule(world, "first@example.com")
    launcher = Launcher(world, Remembering(tell), topic)
    firing = loop_of(launcher, claim_every=timedelta(seconds=3600))
    async with asyncio.TaskGroup() as loops:
        loops.create_task(firing.run(launcher.stop))
        # The room that the first one leaves wakes the loop, too; after that it rests.
        await asyncio.wait_for(sent.acquire(), 10)
        await until_finished(world)
        await schedule(world, "second@example.com")
        firing.wake()
        await asyncio.wait_for(sent.acquire(), 10)
        launcher.stop.set()

    assert launcher.channel.addresses() == ["first@example.com", "second@example.com"]


@pytest.mark.promise("P-LAUNCH-14")
async def test_a_slow_group_holds_up_no_other(world: World, topic: Topic) -> None:
    released, passed = asyncio.Event(), asyncio.Event()

    async def take_time(launch: Launch) -> None:
        if launch.recipient.address.startswith("slow"):
            await asyncio.wait_for(released.wait(), 10)
        else:
            passed.set()

    await schedule(world, "slow@example.com")
    for _ in range(3):
        await schedule(world, "a@example.com")
    launcher = Launcher(world, Remembering(take_time), topic)
    async with asyncio.TaskGroup() as loops:
        loops.create_task(loop_of(launcher, claim_groups=2, claim_every=timedelta(seconds=3600)).run(launcher.stop))
        await asyncio.wait_for(passed.wait(), 10)
        released.set()
        await until_finished(world)
        launcher.stop.set()

    assert len(launcher.channel.sent) == 4


async def test_no_more_groups_are_held_than_can_be_worked_on(world: World, topic: Topic) -> None:
    begun, released = asyncio.Event(), asyncio.Event()

    async def wait(_launch: Launch) -> None:
        begun.set()
        await asyncio.wait_for(released.wait(), 10)

    for _ in range(3):
        await schedule(world, "a@example.com")
    launcher = Launcher(world, Remembering(wait), topic)
    firing = loop_of(launcher, claim_groups=2)
    async with asyncio.TaskGroup() as loops:
        loops.create_task(firing.run(launcher.stop))
        await asyncio.wait_for(begun.wait(), 10)
        for _ in range(2):
            await another_turn(firing)
        held = await world.pool.fetchval("SELECT count(*) FROM launches WHERE fence > 0")
        launcher.stop.set()
        released.set()

    assert held == 2


@pytest.mark.promise("P-OPS-15")
async def test_the_loop_waits_for_a_database_that_cannot_answer_and_goes_on_by_itself(world: World, topic: Topic) -> None:
    sent = asyncio.Event()

    async def tell(_launch: Launch) -> None:
        sent.set()

    await schedule(world, "a@example.com")
    await world.pool.execute("ALTER TABLE launches RENAME TO gone")
    launcher = Launcher(world, Remembering(tell), topic)
    firing = loop_of(launcher)
    async with asyncio.TaskGroup() as loops:
        loops.create_task(firing.run(launcher.stop))
        async with asyncio.timeout(10):
            while not firing.problems():
                await asyncio.sleep(0.01)
        await world.pool.execute("ALTER TABLE gone RENAME TO launches")
        await asyncio.wait_for(sent.wait(), 10)
        launcher.stop.set()

    assert (firing.problems(), firing.alive()) == ([], [])


@pytest.mark.promise("P-LAUNCH-16")
async def test_the_loop_goes_on_after_a_lease_was_lost_and_counts_it(world: World, topic: Topic) -> None:
    async def freeze(_launch: Launch) -> None:
        if not launcher.channel.sent:
            # Somebody claimed it, and died.
            await world.pool.execute("UPDATE launches SET fence = fence + 1")

    await schedule(world, "a@example.com")
    launcher = Launcher(world, Remembering(freeze), topic)
    before = metrics.LEASES_LOST._value.get()
    async with asyncio.TaskGroup() as loops:
        firing = loop_of(launcher)
        loops.create_task(firing.run(launcher.stop))
        async with asyncio.timeout(10):
            while not launcher.channel.sent or firing._working:
                await asyncio.sleep(0.01)
        # As if the lease were over.
        await world.pool.execute("UPDATE launches SET run_at = now()")
        await until_finished(world)
        launcher.stop.set()

    assert metrics.LEASES_LOST._value.get() - before == 1
    assert topic.types() == ["launch", "send"]


@pytest.mark.promise("P-OPS-15")
async def test_a_group_that_the_database_interrupted_is_taken_up_again(world: World, topic: Topic) -> None:
    async def break_database(_launch: Launch) -> None:
        if not launcher.channel.sent:
            await world.pool.execute("ALTER TABLE results RENAME TO gone")

    await schedule(world, "a@example.com")
    launcher = Launcher(world, Remembering(break_database), topic)
    firing = loop_of(launcher)
    async with asyncio.TaskGroup() as loops:
        loops.create_task(firing.run(launcher.stop))
        async with asyncio.timeout(10):
            while not launcher.channel.sent or firing._working:
                await asyncio.sleep(0.01)
        await world.pool.execute("ALTER TABLE gone RENAME TO results")
        # As if its lease were over.
        await world.pool.execute("UPDATE launches SET run_at = now()")
        await until_finished(world)
        launcher.stop.set()

    assert topic.types() == ["launch", "send"]


FULL_DISK = """
CREATE FUNCTION full_disk() RETURNS trigger LANGUAGE plpgsql AS $$ BEGIN RAISE EXCEPTION 'no room' USING ERRCODE = 'disk_full'; END $$;
CREATE TRIGGER full_disk BEFORE UPDATE OF done ON launches FOR EACH ROW EXECUTE FUNCTION full_disk();
"""


@pytest.mark.promise("P-OPS-26")
async def test_what_is_sent_is_not_sent_again_because_the_disk_is_full(world: World, topic: Topic) -> None:
    await schedule(world, "a@example.com")
    await world.pool.execute(FULL_DISK)
    launcher = Launcher(world, Remembering(), topic)
    working = await until_mark_waits(launcher, times=1)
    await world.pool.execute("DROP TRIGGER full_disk ON launches")
    await working

    assert launcher.channel.addresses() == ["a@example.com"]
    assert topic.types() == ["launch", "send"]
    assert (await counts(world)).items() >= (FINISHED | {"launched": 1}).items()


@pytest.mark.promise("P-OPS-26")
async def test_a_launcher_that_waits_for_room_keeps_its_group(world: World, topic: Topic) -> None:
    await schedule(world, "a@example.com")
    await world.pool.execute(FULL_DISK)
    # Over before the fourth try, were it not renewed.
    launcher = Launcher(world, Remembering(), topic, lease=timedelta(seconds=2))
    working = await until_mark_waits(launcher, times=4)
    claimed_by_another = await launches.claim(world.pool, LEASE, 10)
    await world.pool.execute("DROP TRIGGER full_disk ON launches")
    await working

    assert claimed_by_another == []
    assert launcher.channel.addresses() == ["a@example.com"]


async def until_mark_waits(launcher: Launcher, times: int) -> asyncio.Task[None]:
    with capture_logs() as logs:
        working = asyncio.create_task(launcher.work_once())
        async with asyncio.timeout(20):
            while sum(entry["event"] == "mark_waits" for entry in logs) < times:
                await asyncio.sleep(0.01)
    return working


@pytest.mark.promise("P-OPS-13")
async def test_a_launcher_that_is_told_to_stop_does_not_wait_for_room(world: World, topic: Topic) -> None:
    async def be_told_to_stop(_launch: Launch) -> None:
        launcher.stop.set()

    await schedule(world, "a@example.com")
    await world.pool.execute(FULL_DISK)
    launcher = Launcher(world, Remembering(be_told_to_stop), topic)

    with pytest.raises(asyncpg.DiskFullError):
        await asyncio.wait_for(launcher.work_once(), 10)


@pytest.mark.promise("P-HTTP-30")
async def test_a_loop_that_does_not_turn_is_told_at_the_health_port(world: World, topic: Topic) -> None:
    firing = loop_of(Launcher(world, Remembering(), topic))
    before, firing._turned = firing.alive(), firing._turned - STUCK

    assert (before, firing.alive()) == ([], ["the firing loop has not turned for 90 s"])
