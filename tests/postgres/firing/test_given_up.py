"""Launches that end untried: of messages that cannot be read."""

import pytest

from schemas.ids import launch_id
from tests.firing import FINISHED, Launcher, Topic, counts
from tests.launching import Remembering, World
from workers.launcher.schedule import unreadable


async def answered(world: World, batch: bytes) -> dict[int, bytes]:
    """What the matcher has said of two items that are imported, and one that is not."""
    profiles = await world.profiles("ann@example.com", "bob@example.com")
    await world.pool.execute(
        """
        INSERT INTO results (batch, chunk, items, profiles, errors, custom_data)
        VALUES ($1, 0, '{0,1,2}', $2, '{"1": {"error": 400}}', '{"0": {"a": 2}}')
        """,
        batch,
        profiles[0] + bytes(12) + profiles[1],
    )
    return {0: profiles[0], 2: profiles[1]}


@pytest.mark.promise("P-EVENT-01", "P-EVENT-02", "P-OPS-31")
async def test_a_launch_that_is_given_up_untried_tells_its_failure_and_nothing_else(world: World, topic: Topic) -> None:
    batch = await world.batch(total=3, custom_data={"a": 1, "b": 1})
    profiles = await answered(world, batch)
    async with world.pool.acquire() as connection:
        await unreadable.give_up(connection, [(batch, 0)])
    launcher = Launcher(world, Remembering(), topic)

    await launcher.work_once()

    told = {(event["event_type"], event["event_data"]["item"]): event for event in topic.events()}
    assert launcher.channel.sent == []
    assert (await counts(world)).items() >= (FINISHED | {"failed": 2}).items()
    # The replay tells of its import, with what the message says of that.
    assert sorted(told) == [("fail", 0), ("fail", 2)]
    assert len(topic.records) == 2
    assert {item: told["fail", item]["profile_id"] for item in profiles} == {item: id_.hex() for item, id_ in profiles.items()}
    assert told["fail", 2]["event_data"]["reason"] == "message cannot be read"
    assert told["fail", 2]["event_data"]["launch_id"] == launch_id(batch, 2, world.trigger)
    assert told["fail", 0]["custom_data"] == {"a": 2, "b": 1}
