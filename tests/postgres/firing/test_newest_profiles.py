"""Launches that wait: they go by their profile as it is when they leave."""

import asyncio
from collections.abc import Sequence
from hashlib import md5

import asyncpg
import pytest

from tests.firing import FINISHED, Launcher, Topic, counts, schedule
from tests.launching import Remembering, World, subscription
from workers.launcher.channels.slots import Slots
from workers.launcher.deliver import looks, newest, profiles, sending
from workers.launcher.deliver.profiles import Stored, Wanted
from workers.launcher.model import Launch

pytestmark = pytest.mark.promise("P-LAUNCH-50")

# The second of two waits for a minute, an hour, or until the first one's server has answered.
WAITS = ["UPDATE triggers SET pace = 1", "UPDATE triggers SET spread = 60", "SELECT 1"]

_UNSUBSCRIBE = """
UPDATE profiles SET subscriptions = replace(subscriptions::text, '"subscribed"', '"unsubscribed"')::jsonb WHERE id = ANY($1)
"""


@pytest.fixture(autouse=True)
def short(monkeypatch: pytest.MonkeyPatch) -> None:
    """Whoever waits at all has waited for too long to be believed."""
    monkeypatch.setattr(newest, "_BELIEVED", 0.0)
    monkeypatch.setattr(sending, "_LOOK_EVERY", 0.1)
    monkeypatch.setattr(looks, "_AGAIN_AFTER", 0.0)


async def fired(world: World, topic: Topic, waits: str, change: str) -> Launcher:
    """Two launches, between which the profile of the second is changed."""

    async def between(launch: Launch) -> None:
        if not launcher.channel.sent:
            others = await world.pool.fetch("SELECT id FROM profiles WHERE id <> $1", launch.profile.id)
            await world.pool.execute(change, [row["id"] for row in others])
            await world.pool.execute("UPDATE triggers SET pace = NULL, spread = NULL")

    await world.pool.execute(waits)
    # Two slots, of which an account has one.
    launcher = Launcher(world, Remembering(between, slots=Slots(2)), topic)
    async with asyncio.timeout(20):
        await launcher.work_once()
    return launcher


async def both(world: World) -> None:
    await schedule(world, "a@example.com", "b@example.com", subscriptions=[subscription("sub@example.com")])


@pytest.mark.promise("P-LAUNCH-07", "P-LAUNCH-08", "P-UNSUB-02")
@pytest.mark.parametrize("waits", WAITS, ids=["pace", "spread", "slot"])
@pytest.mark.parametrize(("change", "reason"), [
    (_UNSUBSCRIBE, "no_subscription"),
    ("DELETE FROM profiles WHERE id = ANY($1)", "profile_deleted"),
    ("UPDATE profiles SET data = data || '{\"_status\": 2}' WHERE id = ANY($1)", "profile_status"),
], ids=["unsubscribed", "deleted", "blocked"])  # fmt: skip
async def test_who_left_while_his_launch_waited_gets_nothing(world: World, topic: Topic, waits: str, change: str, reason: str) -> None:
    await world.pool.execute(
        "INSERT INTO resources (account, number, name, channel, database) VALUES (1, 24, 'News', 'email', $1)", world.database
    )
    await world.pool.execute("UPDATE triggers SET resource = (SELECT id FROM resources)")
    await both(world)

    launcher = await fired(world, topic, waits, change)

    assert len(launcher.channel.sent) == 1
    assert topic.types() == ["launch", "send", "launch", "skip"]
    assert topic.events()[-1]["event_data"]["reason"] == reason


@pytest.mark.promise("P-LAUNCH-04")
async def test_who_moved_while_his_launch_waited_gets_it_there_and_is_told_of_by_that_address(world: World, topic: Topic) -> None:
    await both(world)

    moved = 'UPDATE profiles SET data = data || \'{"email": "new@example.com"}\' WHERE id = ANY($1)'
    launcher = await fired(world, topic, WAITS[0], moved)

    assert launcher.channel.addresses()[1:] == ["new@example.com"]
    told = [event["_md5"] for event in topic.events() if event["event_type"] == "send"]
    assert told[1:] == [md5(b"new@example.com", usedforsecurity=False).hexdigest()]


async def test_a_database_that_is_away_meanwhile_ends_no_launch(world: World, topic: Topic, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(newest, "_ASKED_AGAIN_AFTER", 0.01)
    load, away = profiles.load, 0

    async def loaded(connection: asyncpg.Connection, pages: Sequence[Wanted]) -> list[list[Stored]]:
        nonlocal away
        if launcher.channel.sent and away < 3:
            away += 1
            raise asyncpg.CannotConnectNowError("the database system is starting up")
        return await load(connection, pages)

    monkeypatch.setattr(profiles, "load", loaded)
    await both(world)

    launcher = Launcher(world, Remembering(slots=Slots(2)), topic)
    await launcher.work_once()

    assert (away, launcher.channel.addresses()) == (3, ["a@example.com", "b@example.com"])
    assert (await counts(world)).items() >= (FINISHED | {"launched": 2, "failed": 0}).items()
