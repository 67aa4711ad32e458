"""Work that is cut off when something else happens first."""

import asyncio

import pytest

from runtime.racing import rest, unless, unless_later

pytestmark = pytest.mark.promise("P-LAUNCH-33")


async def hang() -> None:
    await asyncio.Event().wait()


async def fail() -> None:
    raise LookupError


async def test_work_that_is_done_first_returns_what_it_found() -> None:
    assert await unless(hang(), asyncio.sleep(0, "found")) == "found"


async def test_what_goes_wrong_beside_the_work_is_told_and_ends_it() -> None:
    with pytest.raises(LookupError):
        await unless(fail(), hang())


async def test_what_is_over_soon_is_not_watched() -> None:
    assert await unless_later(60, fail, asyncio.sleep(0, "found")) == "found"
    with pytest.raises(LookupError):
        await unless_later(60, hang, fail())


async def test_what_lasts_is_cut_off_by_what_happens_then_and_cleans_up() -> None:
    cleaned = []

    async def work() -> None:
        try:
            await hang()
        finally:
            await asyncio.sleep(0)
            cleaned.append(True)

    async def nothing() -> None:
        """Is over at once."""

    await unless_later(0, nothing, work())
    with pytest.raises(LookupError):
        await unless_later(0, fail, work())
    assert cleaned == [True, True]
    current = asyncio.current_task()
    assert current is not None
    assert current.cancelling() == 0


async def test_work_that_ends_while_it_is_watched_leaves_nobody_watching() -> None:
    ended = asyncio.Event()

    async def watch() -> None:
        try:
            await hang()
        finally:
            ended.set()

    assert await unless_later(0, watch, asyncio.sleep(0.01, "found")) == "found"
    assert ended.is_set()


async def test_who_is_cancelled_by_others_stays_so() -> None:
    begun = asyncio.Event()

    async def work() -> None:
        begun.set()
        await hang()

    working = asyncio.create_task(unless_later(60, fail, work()))
    await begun.wait()
    working.cancel()
    with pytest.raises(asyncio.CancelledError):
        await working


async def test_what_happens_as_the_work_ends_cuts_nobody_off_afterwards() -> None:
    go = asyncio.Event()

    async def wait() -> str:
        await go.wait()
        return "found"

    async def happen() -> None:
        go.set()

    for _ in range(100):
        go.clear()
        assert await unless_later(0, happen, wait()) in ("found", None)
        await asyncio.sleep(0)
        await asyncio.sleep(0)


@pytest.mark.promise("P-OPS-13")
@pytest.mark.parametrize("turns", range(4))
async def test_a_rest_that_is_cancelled_in_the_moment_it_ends_is_over_or_cancelled(turns: int) -> None:
    event = asyncio.Event()
    resting = asyncio.create_task(rest(event, 60))
    for _ in range(3):
        await asyncio.sleep(0)
    event.set()
    for _ in range(turns):
        await asyncio.sleep(0)
    heard = resting.cancel()
    await asyncio.wait({resting})

    # Who was told that it hears may rely on its end.
    assert resting.cancelled() == heard
