"""Bytes that are under way: who is well never waits, and those who fail take turns."""

import asyncio
from collections.abc import Iterator
from contextlib import AsyncExitStack, contextmanager

import pytest

from workers.hooks.budget import SMALL, Budget, Taker

ANY = Taker(1, 1)


class Line:
    """Takers who hold what they got until they are let go; `order` is how they got it."""

    def __init__(self, total: int) -> None:
        self.budget = Budget(total)
        self.order: list[Taker] = []
        self._ends: dict[Taker, asyncio.Event] = {}
        self.tasks: dict[Taker, asyncio.Task[None]] = {}

    async def comes(self, taker: Taker, size: int, becomes: int | None = None) -> None:
        self._ends[taker] = asyncio.Event()
        self.tasks[taker] = asyncio.create_task(self._hold(taker, size, size if becomes is None else becomes))
        await self._settled()

    async def goes(self, taker: Taker) -> None:
        self._ends[taker].set()
        async with asyncio.timeout(5):
            await self.tasks.pop(taker)
        await self._settled()

    async def is_ended(self, taker: Taker) -> None:
        task = self.tasks.pop(taker)
        task.cancel()
        await asyncio.wait([task])
        await self._settled()

    async def _hold(self, taker: Taker, size: int, becomes: int) -> None:
        async with self.budget.share(size, taker) as share:
            self.order.append(taker)
            share.becomes(becomes)
            await self._ends[taker].wait()

    async def _settled(self) -> None:
        # Each wakes the next one at most.
        for _ in range(2 * len(self.tasks) + 4):
            await asyncio.sleep(0)


@contextmanager
def all_ended(line: Line) -> Iterator[Line]:
    try:
        yield line
    finally:
        for task in line.tasks.values():
            task.cancel()


@pytest.mark.promise("P-HOOK-17")
async def test_bodies_get_smaller_when_many_are_under_way_and_nobody_waits() -> None:
    budget = Budget(1_000_000)
    taken = []
    async with AsyncExitStack() as stack, asyncio.timeout(1):
        for _ in range(100):
            share = await stack.enter_async_context(budget.share(0, ANY))
            taken.append(budget.allowance(100_000))
            share.becomes(taken[-1])

    assert taken[0] == 100_000
    assert taken[-1] == SMALL
    assert sum(taken) < 1_000_000 + 100 * SMALL
    assert budget.allowance(100_000) == 100_000


@pytest.mark.promise("P-HOOK-17")
async def test_those_that_fail_wait_for_room_and_who_wants_more_than_all_gets_all() -> None:
    first, second, third, fourth = [Taker(account, account) for account in range(4)]
    with all_ended(Line(100)) as line:
        await line.comes(first, 90, becomes=40)
        await line.comes(second, 60, becomes=40)
        await line.comes(third, 1_000)
        await line.comes(fourth, 10)
        # The second fits beside what the first has become; the third wants all, and the fourth is behind it.
        before = list(line.order)
        await line.is_ended(third)

    assert (before, line.order) == ([first, second], [first, second, fourth])


@pytest.mark.promise("P-HOOK-17")
async def test_whatever_becomes_of_those_who_wait_all_is_free_again_in_the_end() -> None:
    takers = [Taker(number % 2, number) for number in range(6)]
    with all_ended(Line(100)) as line:
        for taker in takers:
            await line.comes(taker, 60)
        await line.is_ended(takers.pop())
        before = list(line.order)
        # Each one's end lets in the next one, which ends in the same moment.
        for taker in takers:
            line.tasks[taker].cancel()
            while not line.tasks[taker].done():
                await asyncio.sleep(0)
        await line.comes(ANY, 100)

    assert (before, line.order[-1]) == ([takers[0]], ANY)


@pytest.mark.promise("P-HOOK-08")
async def test_an_account_whose_hooks_hang_leaves_as_much_to_the_others_as_it_holds() -> None:
    with all_ended(Line(160)) as line:
        for number in range(1, 200):
            await line.comes(Taker(1, number), 10)
        for number in range(201, 300):
            await line.comes(Taker(2, number), 10)
        held = [sum(taker.account == account for taker in line.order) for account in (1, 2)]
        await line.comes(Taker(3, 300), 10)

    assert held == [8, 4]
    assert line.order[-1] == Taker(3, 300)


@pytest.mark.promise("P-HOOK-08")
async def test_where_all_is_held_the_next_turn_is_that_of_the_account_that_holds_least() -> None:
    with all_ended(Line(40)) as line:
        for taker in (Taker(1, 1), Taker(1, 2), Taker(2, 3), Taker(3, 4)):
            await line.comes(taker, 10)
        for number in range(5, 100):
            await line.comes(Taker(1, number), 10)
        await line.comes(Taker(4, 100), 10)
        await line.goes(Taker(1, 1))

    assert line.order[4:] == [Taker(4, 100)]


@pytest.mark.promise("P-HOOK-08")
async def test_of_one_account_the_hook_that_holds_least_comes_next_and_of_these_who_failed_least() -> None:
    hanging = [Taker(1, 1, attempts=9), Taker(1, 2, attempts=9)]
    with all_ended(Line(40)) as line:
        for taker in hanging:
            await line.comes(taker, 10)
        for taker in (Taker(1, 2, attempts=1), Taker(1, 3, attempts=7), Taker(1, 4, attempts=2)):
            await line.comes(taker, 10)
        await line.goes(hanging[0])
        await line.goes(Taker(1, 4, attempts=2))

    assert line.order[2:] == [Taker(1, 4, attempts=2), Taker(1, 3, attempts=7)]


@pytest.mark.promise("P-HOOK-17")
async def test_any_number_may_come_in_at_once() -> None:
    with all_ended(Line(5_000)) as line:
        await line.comes(Taker(0, 0), 5_000)
        for number in range(1, 2_000):
            line._ends[taker := Taker(number, number)] = asyncio.Event()
            line.tasks[taker] = asyncio.create_task(line._hold(taker, 1, 1))
        await line.goes(Taker(0, 0))

    assert len(line.order) == 2_000


@pytest.mark.promise("P-HOOK-08")
async def test_an_account_that_comes_again_and_again_stands_behind_those_who_waited_meanwhile() -> None:
    with all_ended(Line(10)) as line:
        for number in range(3):
            await line.comes(Taker(1, number), 10)
        await line.comes(Taker(2, 10), 10)
        for number in range(4):
            first = line.order[-1]
            await line.goes(first)
            await line.comes(Taker(1, 20 + number), 10)

    assert Taker(2, 10) in line.order[:3]
