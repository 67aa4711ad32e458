"""What a launcher holds of many launches, however they were asked for."""

import tracemalloc

import pytest

from schemas.settings import MIB
from tests.launching import World
from workers.launcher.deliver import campaigns


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
