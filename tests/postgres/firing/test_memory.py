"""What a launcher holds of many launches, however they were asked for."""

import json
import tracemalloc
from collections.abc import Iterator
from datetime import UTC, datetime
from typing import Any

import pytest

from schemas.settings import MIB
from tests.launching import World, campaign
from workers.launcher.deliver import campaigns, profiles
from workers.launcher.deliver.profiles import Wanted
from workers.launcher.model import Campaign


@pytest.mark.promise("P-OPS-17")
async def test_single_launches_of_a_large_mail_hold_it_once(world: World) -> None:
    other = await world.trigger_of(9, subject="Another")
    await world.pool.execute("UPDATE triggers SET html = repeat('x', $1)", MIB)
    named = [(await world.batch(), trigger) for _ in range(40) for trigger in (world.trigger, other)]
    async with world.pool.acquire() as connection:
        # What is asked for the first time is looked up in catalogues, too.
        await campaigns.load(connection, named[:1])
        tracemalloc.start()
        found = await campaigns.load(connection, [(b"gone", world.trigger), *named])
        _, peak = tracemalloc.get_traced_memory()
        tracemalloc.stop()

    assert found[0] is None
    assert [campaign and (campaign.trigger, campaign.subject, len(campaign.html)) for campaign in found[1:]] == [
        (8, "Hello {lead._fname}", MIB),
        (9, "Another", MIB),
    ] * 40
    assert peak < 10 * MIB


@pytest.mark.promise("P-OPS-17")
async def test_campaigns_that_are_read_one_after_the_other_share_their_message_until_it_is_changed(world: World) -> None:
    async def read() -> Campaign:
        (found,) = await campaigns.load(connection, [(await world.batch(), world.trigger)])
        assert found is not None
        return found

    async with world.pool.acquire() as connection:
        before = [await read(), await read()]
        await connection.execute("UPDATE triggers SET html = 'another'")
        after = await read()

    assert before[0].html is before[1].html
    assert (before[0].html, after.html) == ("<p>Hi</p>", "another")


@pytest.mark.promise("P-OPS-17")
async def test_of_large_profiles_no_more_are_measured_than_there_is_room_for(world: World) -> None:
    ids = list((await world.profiles(*["a@example.com"] * 40)).values())
    await world.pool.execute("UPDATE profiles SET data = data || jsonb_build_object('_fname', repeat('x', $1))", MIB)
    now = datetime.now(UTC)
    async with world.pool.acquire() as connection:
        (found,) = await profiles.load(connection, [Wanted(ids, campaign())])
        asked = [[0] * len(ids), ids, [1] * len(ids), [now] * len(ids), profiles.BYTES]
        (plan,) = json.loads(await connection.fetchval(f"EXPLAIN (ANALYZE, FORMAT JSON) {profiles._LOAD}", *asked))

    assert [each.id for each in found] == ids[:3]
    # The one for which there is no room, and one that is read ahead.
    assert max(_measured(plan["Plan"])) <= 3 + 2


def _measured(node: dict[str, Any]) -> Iterator[int]:
    if node["Node Type"] == "WindowAgg":
        yield node["Actual Rows"]
    for each in node.get("Plans", []):
        yield from _measured(each)
