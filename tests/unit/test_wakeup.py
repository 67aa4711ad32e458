"""A wait for records ends when there is something else to do."""

import asyncio

from runtime.wakeup import Wakeup

# Seconds; who waits so long was not woken.
FOR_EVER = 600.0


async def waits(wakeup: Wakeup, what: asyncio.Event | None = None, seconds: float = FOR_EVER) -> bool:
    """Whether it was woken, or what it waits for did not come in time."""
    try:
        async with asyncio.timeout(seconds) as bound:
            with wakeup.ends(bound):
                await (what or asyncio.Event()).wait()
    except TimeoutError:
        return True
    return False


async def test_a_wait_is_ended() -> None:
    wakeup = Wakeup()
    waiting = asyncio.create_task(waits(wakeup))
    await asyncio.sleep(0)
    wakeup.ring()
    wakeup.ring()

    assert await waiting


async def test_a_ring_that_nobody_waited_for_ends_the_next_wait_and_no_other() -> None:
    wakeup = Wakeup()
    wakeup.ring()

    assert await waits(wakeup)

    waiting = asyncio.create_task(waits(wakeup))
    await asyncio.sleep(0.01)

    assert not waiting.done()

    wakeup.ring()
    await waiting


async def test_what_is_there_already_is_taken_although_it_rings() -> None:
    wakeup, there = Wakeup(), asyncio.Event()
    there.set()
    wakeup.ring()

    assert not await waits(wakeup, there)


async def test_a_ring_after_the_time_was_over_harms_nobody() -> None:
    wakeup = Wakeup()
    waiting = asyncio.create_task(waits(wakeup, seconds=0))
    # It begins to wait, its time is over, and it has not had a turn since.
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    wakeup.ring()

    assert await waiting


async def test_who_is_told_to_stop_waits_no_longer() -> None:
    wakeup, stop = Wakeup(), asyncio.Event()
    ringing = asyncio.create_task(wakeup.ring_when(stop))
    waiting = asyncio.create_task(waits(wakeup))
    await asyncio.sleep(0)
    stop.set()

    assert await waiting
    await ringing
