"""Places of hooks: only whoever took one over last may write to it."""

from datetime import UTC, datetime
from functools import partial
from typing import Any

import pytest

from profuse.hooks import replay, resume
from tests.kafka.hooks.conftest import World
from workers.hooks import declared, positions
from workers.hooks.model import Bounds
from workers.hooks.positions import PlaceLost


@pytest.mark.promise("P-HOOK-12")
async def test_whoever_has_lost_a_place_writes_nothing(world: World) -> None:
    await world.declare("crm")
    (hook,) = await declared.active(world.pool)
    ((old, _),) = await positions.claim(world.pool, [hook], 0)
    ((new, _),) = await positions.claim(world.pool, [hook], 0)
    old.position = 99
    await positions.look(world.pool, [old])

    assert await world.position("crm") is None

    await positions.note(world.pool, new, Bounds(3, 5, None))
    for write in (
        positions.note(world.pool, old, Bounds(0, 1, None)),
        positions.move(world.pool, old, 9, "200"),
        positions.fail(world.pool, old, "500"),
        positions.lose(world.pool, old, 1, 9),
    ):
        with pytest.raises(PlaceLost):
            await write
    row = await world.pool.fetchrow("SELECT position, first, last, attempts, lost FROM hook_positions")

    assert dict(row) == {"position": 3, "first": 3, "last": 5, "attempts": 0, "lost": 0}


@pytest.mark.promise("P-HOOK-12")
async def test_what_was_looked_at_moves_no_place_back_and_none_past_a_batch_that_is_out(world: World) -> None:
    await world.declare("crm")
    (hook,) = await declared.active(world.pool)
    ((place, _),) = await positions.claim(world.pool, [hook], 0)
    await positions.move(world.pool, place, 10, "200")
    place.position = 5
    await positions.look(world.pool, [place])

    assert await world.position("crm") == 10

    await positions.note(world.pool, place, Bounds(12, 13, None))
    place.position = 20
    await positions.look(world.pool, [place])

    assert await world.position("crm") == 12


@pytest.mark.promise("P-HOOK-10", "P-HOOK-12")
@pytest.mark.parametrize("command", [resume, partial(replay, since=datetime(2025, 1, 1, tzinfo=UTC))], ids=["resume", "replay"])
async def test_what_an_operator_did_is_undone_by_nobody_who_was_there_before(world: World, command: Any) -> None:
    await world.declare("crm")
    (hook,) = await declared.active(world.pool)
    ((place, _),) = await positions.claim(world.pool, [hook], 0)
    await command(world.settings, "crm", None)
    with pytest.raises(PlaceLost):
        await positions.move(world.pool, place, 10, "200")


@pytest.mark.promise("P-HOOK-10")
@pytest.mark.parametrize("command", [resume, partial(replay, since=datetime(2025, 1, 1, tzinfo=UTC))], ids=["resume", "replay"])
async def test_a_hook_that_was_begun_anew_is_taken_over_by_nobody_who_has_not_seen_that(world: World, command: Any) -> None:
    await world.declare("crm")
    (before,) = await declared.active(world.pool)
    await command(world.settings, "crm", None)
    (hook,) = await declared.active(world.pool)

    assert await positions.claim(world.pool, [before], 0) == []
    assert len(await positions.claim(world.pool, [hook], 0)) == 1


@pytest.mark.promise("P-HOOK-09")
@pytest.mark.parametrize(("silent", "counted"), [("1 hour", 30 * 3600), ("3 hours", 0)])
async def test_what_failed_before_a_hook_was_silent_for_long_does_not_count(world: World, silent: str, counted: int) -> None:
    """It was switched off, or nobody ran that could have sent."""
    await world.declare("crm")
    (hook,) = await declared.active(world.pool)
    ((place, _),) = await positions.claim(world.pool, [hook], 0)
    await positions.fail(world.pool, place, "503")
    await world.pool.execute(
        "UPDATE hook_positions SET failing_since = now() - interval '30 hours', answered_at = now() - $1::text::interval", silent
    )

    assert (await positions.fail(world.pool, place, "503")).seconds == pytest.approx(counted, abs=60)


@pytest.mark.promise("P-HOOK-09")
async def test_a_hook_that_was_resumed_meanwhile_is_not_paused_for_what_was_before(world: World) -> None:
    await world.declare("crm")
    (hook,) = await declared.active(world.pool)
    await resume(world.settings, "crm", None)

    assert not await declared.pause(world.pool, hook, "what was before")
    assert await declared.pause(world.pool, (await declared.active(world.pool))[0], "now")
    assert await declared.active(world.pool) == []
