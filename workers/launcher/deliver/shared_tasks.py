"""Tasks that take launches one after the other, as many for a trigger as may be under way, whichever of its pages they are of."""

import asyncio
from collections import Counter, defaultdict, deque
from collections.abc import Awaitable, Callable, Hashable, Iterable
from contextvars import copy_context
from typing import Any, Generic, TypeVar

Each = TypeVar("Each")


class Hands:
    """Who is at work for which crowd: the launches that wait for the same slots.

    Counted by crowd, because most of a second page's tasks would only wait for a slot: a tenth of what a launch costs.
    """

    def __init__(self) -> None:
        self._at_work: Counter[Hashable] = Counter()
        # Those of which launches are left.
        self._lines: defaultdict[Hashable, deque[Line[Any]]] = defaultdict(deque)

    def busy(self, crowd: Hashable) -> int:
        return self._at_work[crowd]

    def open(self, crowd: Hashable, line: "Line[Any]") -> None:
        self._lines[crowd].append(line)

    def close(self, crowd: Hashable, line: "Line[Any]") -> None:
        self._lines[crowd].remove(line)
        if not self._lines[crowd]:
            del self._lines[crowd]

    def begin(self, crowd: Hashable, task: asyncio.Task[None]) -> None:
        """It counts until it ends; then another line may have one more."""
        self._at_work[crowd] += 1
        task.add_done_callback(lambda _: self._end(crowd))

    def _end(self, crowd: Hashable) -> None:
        self._at_work[crowd] -= 1
        if not self._at_work[crowd]:
            del self._at_work[crowd]
        lines = self._lines.get(crowd, deque())
        if helped := next((line for line in lines if line.help()), None):
            # The next time it is another one's turn.
            lines.remove(helped)
            lines.append(helped)


class Line(Generic[Each]):
    """Launches of one page or bundle; whoever takes one sees to it that there are hands enough for the others."""

    def __init__(
        self,
        each: Iterable[Each],
        to: Callable[[Each], Awaitable[None]],
        hands: Hands,
        crowd: Hashable,
        most: int,
        tasks: asyncio.TaskGroup,
    ) -> None:
        self._left = deque(each)
        self._to = to
        self._hands = hands
        self._crowd = crowd
        self._most = most
        self._tasks = tasks
        self._all_taken = asyncio.Event()
        # Of the page, such as its trace; whoever helps comes from another one's.
        self._context = copy_context()

    async def hand_out(self) -> None:
        """Returns when all are taken. By one task at least: it may have to wait for the other lines'."""
        self._hands.open(self._crowd, self)
        try:
            self._begin()
            await self._all_taken.wait()
        finally:
            # Before the group is told that it ends: it would take no more tasks.
            self._hands.close(self._crowd, self)

    def help(self) -> bool:
        """By one task more, where launches are left and there may be one."""
        wanted = bool(self._left) and self._hands.busy(self._crowd) < self._most
        if wanted:
            self._begin()
        return wanted

    def _begin(self) -> None:
        self._hands.begin(self._crowd, self._tasks.create_task(self._work(), context=self._context.copy()))

    async def _work(self) -> None:
        while self._left:
            each = self._left.popleft()
            self.help()
            if not self._left:
                self._all_taken.set()
            await self._to(each)
