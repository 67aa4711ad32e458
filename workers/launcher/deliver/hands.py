"""Tasks that take launches one after the other, as many for a trigger as may be under way, whichever of its pages they are of."""

import asyncio
from collections import Counter, deque
from collections.abc import Awaitable, Callable, Iterable
from typing import Generic, TypeVar

Each = TypeVar("Each")
Trigger = tuple[int, int]
"""An account, and its number of the trigger."""


class Hands:
    """Who is at work for which trigger.

    Counted by trigger, because most of a second page's tasks would only wait for a slot: a tenth of what a launch costs.
    """

    def __init__(self) -> None:
        self._at_work: Counter[Trigger] = Counter()

    def busy(self, trigger: Trigger) -> int:
        return self._at_work[trigger]

    def begin(self, trigger: Trigger, task: asyncio.Task[None]) -> None:
        """It counts until it ends."""
        self._at_work[trigger] += 1
        task.add_done_callback(lambda _: self._end(trigger))

    def _end(self, trigger: Trigger) -> None:
        self._at_work[trigger] -= 1
        if not self._at_work[trigger]:
            del self._at_work[trigger]


class Line(Generic[Each]):
    """Launches of one page or bundle; whoever takes one sees to it that there are hands enough for the others."""

    def __init__(self, each: Iterable[Each], hands: Hands, trigger: Trigger, most: int, tasks: asyncio.TaskGroup) -> None:
        self._left = deque(each)
        self._hands = hands
        self._trigger = trigger
        self._most = most
        self._tasks = tasks

    def hand_out(self, to: Callable[[Each], Awaitable[None]]) -> None:
        """By one task at least: it may have to wait for the other pages'."""
        self._hands.begin(self._trigger, self._tasks.create_task(self._work(to)))

    async def _work(self, to: Callable[[Each], Awaitable[None]]) -> None:
        while self._left:
            each = self._left.popleft()
            if self._left and self._hands.busy(self._trigger) < self._most:
                self.hand_out(to)
            await to(each)
