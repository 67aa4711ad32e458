"""Many small works in few calls: what comes while a call is under way is done by the next one."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")
R = TypeVar("R")

# So many are done by one call, however many wait.
_MOST = 512


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
        self._waiting: list[tuple[T, asyncio.Future[R]]] = []
        self._working: set[asyncio.Task[None] | None] = set()

    async def do(self, thing: T) -> R:
        """What became of it; it is done to the end even if nobody waits for that any longer."""
        told: asyncio.Future[R] = asyncio.get_running_loop().create_future()
        self._waiting.append((thing, told))
        if len(self._working) < self._lanes:
            # A task of its own: whoever came first may be cancelled, and would take the others along.
            self._working.add(asyncio.create_task(self._do_all()))
        return await told

    async def close(self) -> None:
        """Give up what is under way, which nobody waits for any more."""
        working = [task for task in self._working if task is not None]
        for task in working:
            task.cancel()
        await asyncio.gather(*working, return_exceptions=True)

    async def _do_all(self) -> None:
        try:
            while self._waiting:
                these, self._waiting = self._waiting[:_MOST], self._waiting[_MOST:]
                await self._do(these)
        finally:
            # Not by a callback, which comes later: whoever comes in between would wait for nobody.
            self._working.discard(asyncio.current_task())

    async def _do(self, these: Sequence[tuple[T, asyncio.Future[R]]]) -> None:
        (answer,) = await asyncio.gather(self._work([thing for thing, _ in these]), return_exceptions=True)
        if isinstance(answer, BaseException) and not isinstance(answer, self._failures) and len(these) > 1:
            for each in these:
                await self._do([each])
            return
        for at, (_, told) in enumerate(these):
            if told.cancelled():
                continue
            if isinstance(answer, BaseException):
                told.set_exception(answer)
            else:
                told.set_result(answer[at])
