"""The newest events of a partition, and bytes that are under way."""

import asyncio
from contextlib import AsyncExitStack

import pytest

from workers.hooks.budget import SMALL, Budget
from workers.hooks.model import Event
from workers.hooks.window import Window


def event(offset: int, account: int = 1, size: int = 100) -> Event:
    return Event(offset, account, "send", b"x" * size)


@pytest.mark.promise("P-HOOK-08")
def test_each_account_finds_its_own_events_from_anywhere_on() -> None:
    window = Window(10)
    first = window.add([event(11, 1), event(12, 2), event(14, 1)], 16, 100_000)

    assert first == {1: 11, 2: 12}
    assert [each.offset for each in window.after(1, 10)] == [11, 14]
    assert [each.offset for each in window.after(1, 12)] == [14]
    assert [each.offset for each in window.after(2, 13)] == []
    assert [each.offset for each in window.after(3, 10)] == []
    assert (window.start, window.end) == (10, 16)


@pytest.mark.promise("P-HOOK-17")
def test_the_oldest_go_when_there_are_too_many_bytes() -> None:
    window = Window(0)
    window.add([event(offset, offset % 3, 1_000) for offset in range(1_000)], 1_000, 12_500)

    kept = [each.offset for account in range(3) for each in window.after(account, window.start)]

    assert sorted(kept) == list(range(990, 1_000))
    assert (window.start, window.end) == (990, 1_000)
    assert window.add([event(1_000, 1, 100_000)], 1_001, 12_500) == {1: 1_000}
    assert (window.start, window.end) == (1_001, 1_001)


@pytest.mark.promise("P-HOOK-17")
async def test_bodies_get_smaller_when_many_are_under_way_and_nobody_waits() -> None:
    budget = Budget(1_000_000)
    taken = []
    async with AsyncExitStack() as stack, asyncio.timeout(1):
        for _ in range(100):
            share = await stack.enter_async_context(budget.share(0))
            taken.append(budget.allowance(100_000))
            share.becomes(taken[-1])

    assert taken[0] == 100_000
    assert taken[-1] == SMALL
    assert sum(taken) < 1_000_000 + 100 * SMALL
    assert budget.allowance(100_000) == 100_000


@pytest.mark.promise("P-HOOK-17")
async def test_those_that_fail_wait_for_their_turn() -> None:
    budget = Budget(100)
    order: list[int] = []

    async def hold(number: int, size: int, until: asyncio.Event) -> None:
        async with budget.share(size) as share:
            order.append(number)
            share.becomes(min(size, 40))
            await until.wait()

    ends = [asyncio.Event() for _ in range(4)]
    tasks = [asyncio.create_task(hold(number, size, ends[number])) for number, size in enumerate([90, 60, 1_000, 10])]
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    # The second fits beside what the first has become; the third wants all, and the fourth is behind it.
    assert order == [0, 1]
    tasks[2].cancel()
    await asyncio.wait([tasks[2]])
    await asyncio.sleep(0)

    assert order == [0, 1, 3]
    for end in ends:
        end.set()
    await asyncio.wait(tasks)
    async with asyncio.timeout(1), budget.share(100):
        assert budget.allowance(1_000_000) == SMALL
