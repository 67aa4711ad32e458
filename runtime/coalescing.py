"""Many small works in few calls: what comes while a call is under way is done by the next one."""

import asyncio
from collections import deque
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, NamedTuple, TypeVar

T = TypeVar("T")
R = TypeVar("R")

# So many are done by one call, however many wait.
_MOST = 512


class _Asked(NamedTuple, Generic[T, R]):
    things: Sequence[T]
    told: asyncio.Future[Sequence[R]]


class Coalescing(Generic[T, R]):
    """Makes one call of `work` out of all that waits; its answers stand in the order of what it is given.

    What it raises of `failures` is told to everybody. After anything else each is tried alone: one bad apple spoils nothing.
    With several lanes so many calls may be under way, and one that is slow makes nobody wait.
    """

    def __init__(
        self, work: Callable[[Sequence[T]], Awaitable[Sequence[R]]], failures: tuple[type[BaseException], ...], lanes: int = 1
    ) -> None:
        self._work = work
        self._failures = failures
        self._lanes = lanes
        self._waiting: deque[_Asked[T, R]] = deque()
        self._working: set[asyncio.Task[None] | None] = set()
        # One of them has not taken yet what waits for it.
        self._coming = False

    async def do(self, thing: T) -> R:
        """What became of it; it is done to the end even if nobody waits for that any longer."""
        (done,) = await self.do_each([thing])
        return done

    async def do_each(self, things: Sequence[T]) -> Sequence[R]:
        """The same, of several by one call; what fails of one is raised for all of these."""
        if not things:
            return []
        asked = _Asked(things, asyncio.get_running_loop().create_future())
        self._waiting.append(asked)
        self._begin()
        return await asked.told

    async def close(self) -> None:
        """Give up what is under way, which nobody waits for any more."""
        working = [task for task in self._working if task is not None]
        for task in working:
            task.cancel()
        await asyncio.gather(*working, return_exceptions=True)

    def _begin(self) -> None:
        """One more call for what nobody comes for, where there is a lane."""
        if self._waiting and not self._coming and len(self._working) < self._lanes:
            # A task of its own: whoever came first may be cancelled, and would take the others along.
            self._working.add(asyncio.create_task(self._do_all()))
            self._coming = True

    async def _do_all(self) -> None:
        self._coming = False
        try:
            while self._waiting:
                these = self._next()
                self._begin()
                await self._do(these)
        finally:
            # Not by a callback, which comes later: whoever comes in between would wait for nobody.
            self._working.discard(asyncio.current_task())

    def _next(self) -> list[_Asked[T, R]]:
        these = [self._waiting.popleft()]
        count = len(these[0].things)
        while self._waiting and (count := count + len(self._waiting[0].things)) <= _MOST:
            these.append(self._waiting.popleft())
        return these

    async def _do(self, these: Sequence[_Asked[T, R]]) -> None:
        (answers,) = await asyncio.gather(self._work([thing for asked in these for thing in asked.things]), return_exceptions=True)
        if isinstance(answers, BaseException) and not isinstance(answers, self._failures) and len(these) > 1:
            for each in these:
                await self._do([each])
            return
        at = 0
        for things, told in these:
            if not told.cancelled():
                if isinstance(answers, BaseException):
                    told.set_exception(answers)
                else:
                    told.set_result(answers[at : at + len(things)])
            at += len(things)
