"""Whoever is slow takes no more than he leaves free."""

import asyncio
from collections import deque

import pytest

from workers.launcher.channels.provider_shares import Share, Shares

pytestmark = pytest.mark.promise("P-LAUNCH-34")


async def filled(shares: Shares, who: int) -> list[asyncio.Task[None]]:
    """By one who wants all of it; those that got nothing wait."""
    asking = [asyncio.create_task(shares.acquire(who)) for _ in range(100)]
    await asyncio.sleep(0)
    return [each for each in asking if not each.done()]


async def test_each_leaves_place_for_the_next_one() -> None:
    shares = Shares(32)
    waiting = [100 - len(await filled(shares, who)) for who in range(6)]

    assert waiting == [16, 8, 4, 2, 1, 1]


async def test_what_is_given_back_goes_to_the_first_who_may_have_it() -> None:
    shares = Shares(4)
    first, second, *_ = await filled(shares, 1)
    other, *_ = await filled(shares, 2)
    # As much is free as the first one has: he may not, and who stands behind him may.
    Share(shares, 2).release()
    await asyncio.wait_for(other, 1)
    still = first.done()
    Share(shares, 1).release()
    await asyncio.wait_for(first, 1)

    assert (still, second.done()) == (False, False)


async def test_who_is_cut_off_while_he_waits_or_as_his_turn_comes_takes_nothing() -> None:
    shares = Shares(2)
    asking = [asyncio.create_task(shares.acquire(1)) for _ in range(4)]
    await asyncio.sleep(0)
    _, first, second, third = asking
    # Before it knows, somebody else's turn comes; who does not know that yet, either.
    first.cancel()
    shares.release(1)
    second.cancel()
    third.cancel()
    await asyncio.wait(asking)

    assert (shares._free, shares._taken, shares._waiting) == (2, {}, deque())
