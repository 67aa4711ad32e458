"""Hooks that fail for good, and what an operator sees of hooks and does to them."""

import asyncio
from datetime import UTC, datetime, timedelta

import pytest
from prometheus_client import REGISTRY
from structlog.testing import capture_logs

from profuse.hooks import listed, replay, resume
from runtime.errors import CannotRun
from tests.kafka.conftest import until
from tests.kafka.hooks.conftest import SECRET, World
from tests.kafka.hosting import hosted, says
from tests.receiving import GOOD, answer
from workers.hooks import hosting, retries

PAUSED = "SELECT EXISTS (SELECT FROM hooks WHERE paused_at IS NOT NULL)"


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(retries, "SHORTEST", 0.05)
    monkeypatch.setattr(hosting, "_STORED_EVERY", 0.1)


@pytest.mark.promise("P-HOOK-09", "P-HOOK-10")
async def test_a_hook_that_answers_410_is_paused_loudly_until_it_is_resumed(world: World) -> None:
    world.receiver.always("crm", answer(410))
    await world.declare("crm")
    await world.declare("well")
    with capture_logs() as logs:
        async with hosted("hooks", world.settings) as room:
            await until(lambda: says(room, ""))
            await world.tell([0])
            await world.until_so(PAUSED)
            await world.tell([1])
            await world.until_taken("well", [0, 1])
            shown = {hook["name"]: hook for hook in await listed(world.settings)}
            was_ready = await room.ready()
            posted = len(world.receiver.got["crm"])
            world.receiver.always("crm", GOOD)
            await resume(world.settings, "crm", None)
            await world.until_taken("crm", [0, 1])

    assert (was_ready, posted) == ([], 1)
    assert (shown["crm"]["state"], shown["crm"]["why"], shown["crm"]["answer"]) == ("paused", "it answered 410: gone", "410")
    assert shown["well"]["state"] == "active"
    assert [entry["log_level"] for entry in logs if entry["event"] == "hook_paused"] == ["error"]
    assert REGISTRY.get_sample_value("profuse_hooks_paused_total", {"account": "1", "hook": "crm"}) == 1


@pytest.mark.promise("P-HOOK-09")
async def test_a_hook_that_fails_for_too_long_is_paused_and_not_before(world: World) -> None:
    settings = world.settings.model_copy(update={"hook_patience": timedelta(seconds=2)})
    world.receiver.always("crm", answer(503))
    await world.declare("crm")
    began = datetime.now(UTC)
    async with hosted("hooks", settings):
        await world.tell([0])
        await world.until_posted("crm", 1)
        await world.until_so("SELECT EXISTS (SELECT FROM hook_positions WHERE attempts > 1)")
        (failing,) = await listed(settings)
        await world.until_so(PAUSED)
    (paused,) = await listed(settings)

    assert (failing["state"], failing["answer"]) == ("failing", "503")
    assert paused["state"] == "paused"
    assert "at last by: 503" in paused["why"]
    assert paused["since"] - began > timedelta(seconds=2)


@pytest.mark.promise("P-HOOK-10")
async def test_a_hook_that_waits_to_be_tried_again_is_tried_at_once_when_it_is_resumed(world: World) -> None:
    world.receiver.first("crm", answer(503, "Retry-After: 3000"))
    await world.declare("crm")
    async with hosted("hooks", world.settings):
        await world.tell([0])
        await world.until_so("SELECT EXISTS (SELECT FROM hook_positions WHERE attempts > 0)")
        await resume(world.settings, "crm", None)
        await world.until_moved("crm", 0, 1)


@pytest.mark.promise("P-HOOK-10")
async def test_it_is_told_how_far_a_hook_is_behind(world: World) -> None:
    world.receiver.hang("crm")
    await world.declare("crm")
    await world.declare("idle", account=2)
    async with hosted("hooks", world.settings):
        await world.tell([0])
        await world.until_posted("crm", 1)
        await world.tell(range(1, 5))
        await world.tell(range(5), at=1)
        await world.until_moved("idle", 1, 5)
        await world.until_moved("idle", 0, 5)
        shown = {hook["name"]: hook["behind"] for hook in await listed(world.settings)}

    assert shown == {"crm": 10, "idle": 0}


@pytest.mark.promise("P-HOOK-10")
async def test_a_replay_begins_again_at_a_moment(world: World) -> None:
    await world.declare("crm")
    async with hosted("hooks", world.settings):
        await world.tell(range(3))
        await world.until_taken("crm", range(3))
        moment = datetime.now(UTC) + timedelta(milliseconds=1)
        # Records know their time in milliseconds only.
        while datetime.now(UTC) < moment + timedelta(milliseconds=1):
            await asyncio.sleep(0.001)
        await world.tell(range(3, 6))
        await world.until_taken("crm", range(6))
        world.receiver.got["crm"].clear()
        await replay(world.settings, "crm", None, moment)
        await world.until_taken("crm", range(3, 6))
        await replay(world.settings, "crm", 1, datetime(1960, 1, 1, tzinfo=UTC))
        await world.until_posted("crm", 2)
        await world.tell([6])

        async def all_came() -> bool:
            return {*range(7)} == {item for got in world.receiver.got["crm"] for item in got.items}

        await until(all_came)


@pytest.mark.promise("P-HOOK-10")
async def test_a_hook_is_named_with_its_account_where_two_have_one_of_its_name(world: World) -> None:
    await world.declare("crm", account=1)
    await world.declare("crm", account=2)
    with pytest.raises(CannotRun, match="Accounts 1, 2 have a hook crm: name one with --account"):
        await resume(world.settings, "crm", None)
    with pytest.raises(CannotRun, match="There is no hook other"):
        await resume(world.settings, "other", None)

    assert SECRET not in str(await listed(world.settings))
    assert await resume(world.settings, "crm", 2) == "account 2, hook crm: was not paused; what it waits for is tried at once"
