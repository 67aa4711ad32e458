"""Providers that asked for time: they get it, until somebody who knows better says otherwise."""

from collections.abc import Callable

import pytest

from profuse.providers import resume
from runtime.errors import CannotRun
from runtime.outbound.posting import Poster
from schemas.settings import Settings
from tests.firing import Launcher, Topic, counts
from tests.launching import World
from tests.postgres.firing.test_after_outages import later
from tests.postgres.firing.test_providers import due, launcher_of, poster, provider, texting
from tests.unit.launcher.channels.destinations import HttpProvider
from workers.launcher.deliver import campaigns

_ANOTHER = """
INSERT INTO providers (account, name, channel, url, secrets, rate, concurrency, timeout, active)
SELECT account, 'next', channel, url, secrets, rate, concurrency, timeout, active FROM providers
"""
__all__ = ["later", "poster", "provider"]


async def resting(world: World, topic: Topic, provider: HttpProvider, poster: Poster) -> Launcher:
    """A launcher that was asked to wait for a day by a provider that takes everything from now on."""
    trigger = await texting(world, provider)
    await due(world, trigger)
    launcher = launcher_of(world, topic, poster)
    provider.raw = b"HTTP/1.1 429 Many\r\nRetry-After: 86400\r\nContent-Length: 0\r\n\r\n"
    await launcher.work_once()
    assert len(provider.tried) == 1
    provider.raw = None
    return launcher


@pytest.mark.promise("P-LAUNCH-18", "P-LAUNCH-39")
async def test_a_provider_gets_the_day_that_it_asked_for(
    world: World, topic: Topic, provider: HttpProvider, poster: Poster, later: Callable[[], None]
) -> None:
    launcher = await resting(world, topic, provider, poster)
    later()
    await launcher.work_once()

    assert (len(provider.tried), (await counts(world))["launched"]) == (1, 0)


@pytest.mark.promise("P-DOOR-39", "P-LAUNCH-39")
async def test_one_that_is_resumed_is_tried_by_the_launcher_that_was_asked_to_wait(
    tables: Settings, world: World, topic: Topic, provider: HttpProvider, poster: Poster, later: Callable[[], None]
) -> None:
    launcher = await resting(world, topic, provider, poster)

    assert await resume(tables, "main") == 1
    later()
    await launcher.work_once()

    assert (await counts(world))["launched"] == 1


@pytest.mark.promise("P-LAUNCH-35")
@pytest.mark.parametrize(("named", "names"), [(["main", "next"], 2), (None, 0)])
async def test_a_campaign_tells_whether_its_trigger_names_a_provider_that_is_switched_off(
    world: World, provider: HttpProvider, named: list[str] | None, names: int
) -> None:
    await texting(world, provider)
    await world.pool.execute("UPDATE providers SET active = false")
    await world.pool.execute("UPDATE triggers SET provider = $1 WHERE number = 20", named)
    async with world.pool.acquire() as connection:
        campaign = await campaigns.sample(connection, 1, 20)

    assert campaign is not None
    assert (campaign.providers, campaign.named_providers) == ((), names)


@pytest.mark.promise("P-LAUNCH-34")
async def test_a_campaign_tells_whether_its_account_has_other_providers_that_are_active(world: World, provider: HttpProvider) -> None:
    await texting(world, provider)
    alone = []
    for change in (None, _ANOTHER, "UPDATE providers SET active = name = 'main'"):
        if change:
            await world.pool.execute(change)
        async with world.pool.acquire() as connection:
            campaign = await campaigns.sample(connection, 1, 20)
        assert campaign is not None
        alone.append(next(each.is_alone for each in campaign.providers if each.name == "main"))

    assert alone == [True, False, True]


@pytest.mark.promise("P-DOOR-39")
async def test_one_is_named_with_its_account_where_two_have_one_of_its_name(tables: Settings, world: World) -> None:
    await world.pool.execute("INSERT INTO accounts (id, name) VALUES (2, 'other')")
    await world.pool.execute(
        "INSERT INTO providers (account, name, channel, url, secrets, concurrency, timeout, active) "
        "SELECT id, 'main', 'sms', 'http://x', '{}', 1, 1, true FROM accounts"
    )
    await world.pool.execute("INSERT INTO provider_states (provider, paused_at, why) SELECT id, now(), 'HTTP 410' FROM providers")
    with pytest.raises(CannotRun, match="Accounts 1, 2 have a provider main: name one with --account"):
        await resume(tables, "main")
    before = await world.pool.fetchval("SELECT count(*) FROM provider_states")

    assert await resume(tables, "main", 2) == 1
    left = await world.pool.fetch("SELECT account FROM provider_states JOIN providers ON providers.id = provider")
    assert (before, [row["account"] for row in left]) == (2, [1])
