"""How many bytes of files are held at a time, and who waits."""

import asyncio

import pytest

from workers.launcher.deliver.enclosures import ByteBudget

pytestmark = pytest.mark.promise("P-LAUNCH-25")


async def taking(room: ByteBudget, account: int, size: int) -> asyncio.Task[None]:
    """Has got it, or waits."""
    task = asyncio.create_task(room.take(account, size))
    for _ in range(5):
        await asyncio.sleep(0)
    return task


async def test_what_does_not_fit_waits_until_somebody_gives_room_back() -> None:
    room = ByteBudget(100)
    await room.take(1, 50)
    await room.take(2, 50)

    third = await taking(room, 3, 1)
    assert not third.done()

    room.give_back(1, 50)
    await asyncio.wait_for(third, 5)


async def test_a_small_thing_does_not_wait_behind_a_large_one() -> None:
    room = ByteBudget(100)
    await room.take(1, 50)
    large = await taking(room, 2, 60)

    small = await taking(room, 3, 10)

    assert (large.done(), small.done()) == (False, True)
    large.cancel()


async def test_no_account_holds_more_than_half() -> None:
    room = ByteBudget(100)
    await room.take(1, 40)

    again = await taking(room, 1, 40)
    other = await taking(room, 2, 40)

    assert (again.done(), other.done()) == (False, True)
    again.cancel()


async def test_a_thing_that_never_fits_has_the_room_to_itself() -> None:
    room = ByteBudget(100)
    await room.take(1, 1)
    huge = await taking(room, 2, 1_000)
    assert not huge.done()

    room.give_back(1, 1)
    await asyncio.wait_for(huge, 5)
    assert not (await taking(room, 3, 1)).done()


async def test_who_gives_up_waiting_holds_nothing() -> None:
    room = ByteBudget(100)
    await room.take(1, 100)
    waiting = await taking(room, 2, 100)
    waiting.cancel()
    await asyncio.gather(waiting, return_exceptions=True)

    room.give_back(1, 100)

    assert (await taking(room, 3, 100)).done()
