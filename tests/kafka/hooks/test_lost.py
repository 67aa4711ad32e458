"""Events that the broker has deleted, or that were in another topic."""

import pytest
from structlog.testing import capture_logs

from profuse.hooks import listed
from runtime import broker
from schemas.topics import EVENTS
from tests.kafka.conftest import until
from tests.kafka.hooks.conftest import World
from tests.kafka.hosting import hosted
from tests.receiving import GOOD, answer
from workers.hooks import hosting


@pytest.mark.promise("P-HOOK-11")
async def test_a_hook_that_fell_behind_what_is_kept_is_told_how_much_it_lost_and_goes_on(world: World) -> None:
    world.receiver.always("crm", answer(500, "Retry-After: 3000"))
    await world.declare("crm")
    await world.declare("well")
    async with hosted("hooks", world.settings):
        await world.tell(range(10))
        await world.until_taken("well", range(10))
        await world.until_so("SELECT EXISTS (SELECT FROM hook_positions WHERE attempts > 0)")
    await broker.delete_records(world.settings, {(world.settings.topic(EVENTS.name), 0): 7}, 2**33)
    world.receiver.always("crm", GOOD)
    world.receiver.got["crm"].clear()
    with capture_logs() as logs:
        async with hosted("hooks", world.settings):
            await world.until_taken("crm", range(7, 10))
            await world.tell([10])
            await world.until_taken("crm", range(7, 11))

    assert {hook["name"]: hook["lost"] for hook in await listed(world.settings)} == {"crm": 7, "well": 0}
    assert [(entry["hook"], entry["lost"]) for entry in logs if entry["event"] == "events_lost"] == [("crm", 7)]


@pytest.mark.promise("P-HOOK-11")
async def test_events_that_go_while_a_hook_is_behind_are_told_too(world: World) -> None:
    settings = world.settings.model_copy(update={"hooks_bytes": 40_000, "hook_body_limit": 2_000})
    world.receiver.hang("crm")
    await world.declare("crm", timeout=1)
    await world.declare("well")
    async with hosted("hooks", settings):
        await world.tell(range(200))
        await world.until_taken("well", range(200))
        await broker.delete_records(settings, {(settings.topic(EVENTS.name), 0): 100}, 2**33)
        world.receiver.always("crm", GOOD)

        async def has_the_last() -> bool:
            return world.receiver.items("crm")[-1:] == [199]

        await until(has_the_last)
    lost = {hook["name"]: hook["lost"] for hook in await listed(settings)}

    assert 0 < lost["crm"] <= 100
    assert lost["well"] == 0


@pytest.mark.promise("P-HOOK-11")
async def test_a_topic_that_was_made_anew_is_read_from_its_start(world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(hosting, "_EVERY", 0.05)
    await world.declare("crm")
    await world.tell(range(3))
    await _place(world, 1_000)
    with capture_logs() as logs:
        async with hosted("hooks", world.settings):
            await world.until_taken("crm", range(3))

    assert [(entry["position"], entry["goes_on_at"]) for entry in logs if entry["event"] == "events_lost"] == [(1_000, 0)]


@pytest.mark.promise("P-HOOK-11")
async def test_an_end_that_comes_late_is_waited_for_and_nothing_is_repeated(world: World) -> None:
    await world.declare("crm")
    await world.tell(range(3))
    await _place(world, 5)
    async with hosted("hooks", world.settings):
        await world.until_so("SELECT fence > 2 FROM hook_positions WHERE partition = 0")
        await world.tell(range(3, 7))
        await world.until_taken("crm", [5, 6])


@pytest.mark.promise("P-HOOK-11")
async def test_a_batch_of_which_nothing_can_be_read_any_more_counts_as_lost(world: World) -> None:
    await world.declare("crm")
    await world.put([b"{", b"["])
    await world.tell([2])
    await _place(world, 0)
    await world.pool.execute("UPDATE hook_positions SET first = 0, last = 1")
    async with hosted("hooks", world.settings):
        await world.until_taken("crm", [2])

    assert [hook["lost"] for hook in await listed(world.settings)] == [2]


async def _place(world: World, position: int) -> None:
    """What the partition was once, the hook's row still says."""
    hook = await world.pool.fetchval("SELECT id FROM hooks")
    await world.pool.execute("INSERT INTO hook_positions (hook, partition, position) VALUES ($1, 0, $2)", hook, position)
