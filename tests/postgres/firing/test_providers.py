"""Launches that leave by an account's providers, whose rows all launchers share."""

import asyncio
import json
from base64 import b64encode
from collections.abc import AsyncIterator, Callable
from typing import Any

import pytest

from profuse.postgres import transaction
from profuse.providers import listed, resume
from runtime.outbound.posting import Poster
from schemas import metrics
from schemas.settings import Settings
from tests import calling
from tests.firing import Launcher, Topic, counts, schedule
from tests.launching import Remembering, World, knowing
from tests.postgres.firing.test_after_outages import later
from tests.unit.launcher.channels.destinations import HttpProvider
from workers.launcher.channels.http.posting import Posting
from workers.launcher.deliver import campaigns, sending
from workers.launcher.deliver.paces import Limit, Paces
from workers.launcher.deliver.provider_states import MOST_GONE
from workers.launcher.model import Launch

__all__ = ["later"]
_PAUSE = "INSERT INTO provider_states (provider, paused_at) SELECT id, now() FROM providers WHERE name = 'main'"
SECRET = "whsec_" + b64encode(bytes(32)).decode()


@pytest.fixture
async def provider() -> AsyncIterator[HttpProvider]:
    found = HttpProvider()
    async with found.open():
        yield found


@pytest.fixture
async def poster() -> AsyncIterator[Poster]:
    async with calling.poster() as poster:
        yield poster


async def texting(world: World, provider: HttpProvider, **changes: Any) -> int:
    """A trigger that sends texts, and its provider's row; returns the trigger."""
    await world.pool.execute(
        """
        INSERT INTO providers (account, name, channel, url, secrets, rate, concurrency, timeout, active)
        VALUES (1, 'main', 'sms', $1, $2, $3, 16, 5, true)
        """,
        f"http://127.0.0.1:{provider.port}",
        [SECRET],
        changes.get("rate"),
    )
    trigger = await world.trigger_of(20)
    await world.pool.execute("UPDATE triggers SET channel = 'sms', text = 'Hi {lead._fname}' WHERE id = $1", trigger)
    return trigger


def launcher_of(world: World, topic: Topic, poster: Poster) -> Launcher:
    launcher = Launcher(world, Remembering(), topic)
    launcher.sending = knowing({"sms": Posting(poster, 64)}, world.pool)
    return launcher


async def due(world: World, trigger: int, count: int = 1, **given: Any) -> bytes:
    batch = await schedule(world, *[None] * count, trigger=trigger, **given)
    await world.pool.execute("""UPDATE profiles SET data = data || '{"phones": ["+79000000001"], "_fname": "Ann"}'""")
    return batch


def gone() -> bytes:
    return b"HTTP/1.1 410 Gone\r\nContent-Length: 0\r\n\r\n"


@pytest.mark.promise("P-LAUNCH-17", "P-EVENT-02")
async def test_a_text_leaves_with_the_items_own_custom_data(world: World, topic: Topic, provider: HttpProvider, poster: Poster) -> None:
    trigger = await texting(world, provider)
    batch = await world.batch(custom_data={"a": 1, "b": 1})
    await world.custom_data(batch, {0: {"b": 2}})
    await due(world, trigger, batch=batch)

    await launcher_of(world, topic, poster).work_once()

    (told,) = provider.told()
    assert (told["text"], told["address"], told["custom_data"]) == ("Hi Ann", "+79000000001", {"a": 1, "b": 2})
    assert topic.types() == ["launch", "send"]


@pytest.mark.promise("P-LAUNCH-37", "P-DOOR-39")
async def test_one_that_is_gone_is_paused_until_it_is_resumed(
    tables: Settings, world: World, topic: Topic, provider: HttpProvider, poster: Poster, later: Callable[[], None]
) -> None:
    trigger = await texting(world, provider)
    provider.raw = gone()
    launcher, told = launcher_of(world, topic, poster), metrics.PROVIDERS_PAUSED.labels("main")._value.get()
    for _ in range(MOST_GONE + 2):
        await due(world, trigger)
        await launcher.work_once()
    tried = len(provider.tried)
    async with transaction(tables) as connection:
        (shown,) = await listed(connection)
    paused = await world.pool.fetchval("SELECT paused_at IS NOT NULL FROM provider_states")
    provider.raw = None
    await launcher.work_once()
    waiting = await world.pool.fetchval("SELECT count(*) FROM launches WHERE finished_at IS NULL")

    assert await resume(tables, "main") == 1
    # The first shows that it is back.
    for _ in range(2):
        later()
        await launcher.work_once()

    assert (tried, paused, waiting) == (MOST_GONE, True, 2)
    assert metrics.PROVIDERS_PAUSED.labels("main")._value.get() == told + 1
    assert (shown["state"], "410" in shown["why"], SECRET in str(shown)) == ("paused", True, False)
    assert (await counts(world))["failed"] == MOST_GONE
    assert (await counts(world))["launched"] == 2


@pytest.mark.promise("P-LAUNCH-37")
async def test_no_more_fail_by_it_than_are_under_way_when_it_is_paused(
    world: World, topic: Topic, provider: HttpProvider, poster: Poster
) -> None:
    trigger = await texting(world, provider)
    provider.raw = gone()
    await due(world, trigger, 100)

    await launcher_of(world, topic, poster).work_once()

    # Sixteen at a time.
    assert MOST_GONE <= (await counts(world))["failed"] < MOST_GONE + 16


@pytest.mark.promise("P-LAUNCH-37")
async def test_only_in_a_row_does_it_count(world: World, topic: Topic, provider: HttpProvider, poster: Poster) -> None:
    trigger = await texting(world, provider)
    launcher = launcher_of(world, topic, poster)
    for raw in (gone(), None):
        provider.raw = raw
        await due(world, trigger)
        await launcher.work_once()

    assert await world.pool.fetchval("SELECT gone FROM provider_states") == 0


@pytest.mark.promise("P-LAUNCH-39")
async def test_what_one_launcher_learns_the_others_know(world: World, topic: Topic, provider: HttpProvider, poster: Poster) -> None:
    trigger = await texting(world, provider)
    provider.raw = b"HTTP/1.1 429 Many\r\nRetry-After: 60\r\nContent-Length: 0\r\n\r\n"
    await due(world, trigger, 2)
    await launcher_of(world, topic, poster).work_once()
    tried = len(provider.tried)

    await launcher_of(world, topic, poster).work_once()

    assert len(provider.tried) == tried
    assert (await counts(world)).items() >= {"launched": 0, "failed": 0, "rests": True}.items()


@pytest.mark.promise("P-LAUNCH-38")
async def test_a_rate_holds_for_all_launchers_together(world: World) -> None:
    limit, many = Limit("provider 1", 50.0), 30
    launchers = [Paces(world.pool) for _ in range(3)]
    began = await world.pool.fetchval("SELECT extract(epoch FROM clock_timestamp())::float8")
    for at in range(many):
        await launchers[at % 3].wait(limit.name, lambda: limit)
    ended = await world.pool.fetchval("SELECT extract(epoch FROM clock_timestamp())::float8")

    # What one lot lets go at once is no wait; each of three may have one of five left.
    assert ended - began >= (many - 5 - 15) / 50


async def dead_and(world: World, provider: HttpProvider, rate: int) -> int:
    """A trigger whose first provider is away, and whose second takes so many a second; returns the trigger."""
    away = HttpProvider()
    async with away.open():
        pass
    trigger = await texting(world, away)
    await followed(world, provider, trigger, rate)
    return trigger


class Vanishing(HttpProvider):
    """Reads what comes and is gone, until it is told what to answer."""

    def answers(self, id_: str, yes: bytes, no: bytes, later: bytes) -> bytes | None:
        self.tried.append(id_)
        return self.raw


async def followed(world: World, provider: HttpProvider, trigger: int, rate: int) -> None:
    """A second provider, which takes so many a second."""
    await world.pool.execute(
        """
        INSERT INTO providers (account, name, channel, url, secrets, rate, concurrency, timeout, active)
        SELECT account, 'next', channel, $1, secrets, $2, concurrency, timeout, active FROM providers
        """,
        f"http://127.0.0.1:{provider.port}",
        rate,
    )
    await world.pool.execute("UPDATE triggers SET provider = '{main,next}' WHERE id = $1", trigger)


@pytest.mark.promise("P-LAUNCH-35", "P-LAUNCH-28")
async def test_what_may_have_passed_by_one_provider_leaves_by_no_other(
    world: World, topic: Topic, provider: HttpProvider, poster: Poster
) -> None:
    """Nor after it was refused there, nor while that one is paused, nor when it is none of the trigger's any more."""
    first = Vanishing()
    async with first.open():
        trigger = await texting(world, first)
        await followed(world, provider, trigger, 100)
        await due(world, trigger, 2)
        launcher = launcher_of(world, topic, poster)
        await launcher.work_once()
        in_doubt = await world.pool.fetch("SELECT items, doubts, doubted FROM launches WHERE attempt = 1")
        first.raw = b"HTTP/1.1 502 Bad Gateway\r\nContent-Length: 0\r\n\r\n"
        await launcher.work_once()
        await world.pool.execute(_PAUSE)
        await launcher.work_once()
        await world.pool.execute("UPDATE triggers SET provider = '{next}'")
        await launcher.work_once()
        before = len(first.tried)
        await world.pool.execute("UPDATE triggers SET provider = '{main,next}'")
        await world.pool.execute("DELETE FROM provider_states")
        first.raw = b"HTTP/1.1 202 Taken\r\nContent-Length: 0\r\n\r\n"
        await launcher.work_once()

    assert [tuple(each) for each in in_doubt] == [([0, 1], 0, "provider 1")]
    assert (before, len(first.tried), provider.tried) == (4, 6, [])
    assert topic.types() == ["launch", "launch", "send", "send"]


class Hanging(HttpProvider):
    """Reads what comes, and says nothing."""

    async def serve(self, reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        self.tried.append("")
        await reader.read()


@pytest.mark.promise("P-LAUNCH-35", "P-LAUNCH-28")
@pytest.mark.parametrize("several", [True, False])
async def test_what_our_own_stop_cut_off_leaves_by_no_other_provider(
    world: World, topic: Topic, provider: HttpProvider, poster: Poster, several: bool, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Where there is another one; else it goes on as if nothing had been."""
    monkeypatch.setattr(sending, "_GRACE", 0.1)
    first = Hanging()
    async with first.open():
        trigger = await texting(world, first)
        if several:
            await followed(world, provider, trigger, 100)
        await due(world, trigger)
        # Its last attempt: another one would be the end of it.
        await world.pool.execute("UPDATE launches SET attempt = 40")
        launcher = launcher_of(world, topic, poster)
        for times in (1, 2):
            async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
                tasks.create_task(launcher.work_once())
                while len(first.tried) < times:
                    await asyncio.sleep(0.01)
                launcher.stop.set()
            launcher.stop.clear()
    rows = await world.pool.fetch("SELECT attempt, began, doubts, doubted, run_at <= now() FROM launches WHERE finished_at IS NULL")
    await world.pool.execute(_PAUSE)
    await launcher.work_once()

    # No attempt of its own, and due at once; the second time it stayed where that is known.
    assert [tuple(row) for row in rows] == [(41, 1, 0, "provider 1", True) if several else (40, 0, 0, None, True)]
    assert provider.tried == []


@pytest.mark.promise("P-LAUNCH-35")
async def test_nor_by_one_that_is_switched_on_only_then(world: World, topic: Topic, provider: HttpProvider, poster: Poster) -> None:
    first = Vanishing()
    async with first.open():
        trigger = await texting(world, first)
        await followed(world, provider, trigger, 100)
        await world.pool.execute("UPDATE providers SET active = false WHERE name = 'next'")
        await due(world, trigger)
        launcher = launcher_of(world, topic, poster)
        await launcher.work_once()
        await world.pool.execute("UPDATE providers SET active = true WHERE name = 'next'")
        await world.pool.execute(_PAUSE)
        await launcher.work_once()

    assert (len(first.tried), provider.tried) == (1, [])


@pytest.mark.promise("P-LAUNCH-38", "P-LAUNCH-35")
async def test_the_rate_of_the_provider_that_is_tried_next_holds_too(
    world: World, topic: Topic, provider: HttpProvider, poster: Poster
) -> None:
    rate, many = 10, 12
    await due(world, await dead_and(world, provider, rate), many)
    began = await world.pool.fetchval("SELECT extract(epoch FROM clock_timestamp())::float8")
    await launcher_of(world, topic, poster).work_once()
    ended = await world.pool.fetchval("SELECT extract(epoch FROM clock_timestamp())::float8")

    assert len(provider.taken) == many
    assert ended - began >= (many - 1) / rate


@pytest.mark.promise("P-LAUNCH-34", "P-LAUNCH-38")
async def test_whoever_waits_for_that_rate_holds_no_slot(world: World, topic: Topic, provider: HttpProvider, poster: Poster) -> None:
    await due(world, await dead_and(world, provider, 1), 12)
    launcher = launcher_of(world, topic, poster)
    channel = Posting(poster, 2)
    launcher.sending = knowing({"sms": channel}, world.pool)
    async with world.pool.acquire() as connection:
        campaign = await campaigns.sample(connection, 1, 20)
    assert campaign is not None
    async with asyncio.TaskGroup() as tasks:
        working = tasks.create_task(launcher.work_once())
        async with asyncio.timeout(20):
            while len(provider.taken) < 2:
                await asyncio.sleep(0.01)
            for way in campaign.providers:
                async with channel.slot(campaign, way):
                    pass
        before = len(provider.taken)
        working.cancel()

    assert before < 4


@pytest.mark.promise("P-LAUNCH-38")
async def test_a_rate_that_was_mistaken_is_corrected_while_launches_wait_for_it(
    world: World, topic: Topic, provider: HttpProvider, poster: Poster
) -> None:
    trigger = await texting(world, provider)
    await world.pool.execute("UPDATE providers SET rate = 1, concurrency = 60")
    await due(world, trigger, 60)
    async with asyncio.timeout(20), asyncio.TaskGroup() as tasks:
        tasks.create_task(launcher_of(world, topic, poster).work_once())
        while not provider.taken:
            await asyncio.sleep(0.01)
        await world.pool.execute("UPDATE providers SET rate = 1000")

    assert len(provider.taken) == 60


@pytest.mark.promise("P-LAUNCH-38")
async def test_a_launch_that_waits_for_its_pace_is_not_sent_when_its_trigger_is_switched_off_meanwhile(world: World, topic: Topic) -> None:
    await world.pool.execute("UPDATE triggers SET pace = 60")

    async def switch_off(_: Launch) -> None:
        await world.pool.execute("UPDATE triggers SET active = false")

    await schedule(world, *[f"{number}@shop.test" for number in range(6)])
    launcher = Launcher(world, Remembering(switch_off), topic)
    await launcher.work_once()

    assert len(launcher.channel.sent) < 6
    assert (await counts(world))["skipped"] == 6 - len(launcher.channel.sent)
    assert json.loads(topic.records[-1].value)["event_data"]["reason"] == "trigger_inactive"
