"""Many small works in few calls: whoever waits for his turn takes along what came meanwhile."""

import asyncio
from collections.abc import Awaitable, Callable, Sequence
from typing import Generic, TypeVar

T = TypeVar("T")


class Coalescing(Generic[T]):
    """Makes one call of `work` out of all that wait; what it raises of `failures` is told to each of them."""

    def __init__(self, work: Callable[[Sequence[T]], Awaitable[None]], failures: tuple[type[Exception], ...]) -> None:
        self._work = work
        self._failures = failures
        self._turn = asyncio.Lock()
        # Each with what became of it: None, or why it is not done.
        self._waiting: list[tuple[Sequence[T], asyncio.Future[Exception | None]]] = []

    async def do(self, things: Sequence[T]) -> None:
        """Returns when the work is done for these things; may be done twice for those of somebody who is cancelled."""
        if not things:
            return
        mine: asyncio.Future[Exception | None] = asyncio.get_running_loop().create_future()
        self._waiting.append((things, mine))
        async with self._turn:
            if not mine.done():
                await self._do()
        if (error := mine.result()) is not None:
            raise error

    async def _do(self) -> None:
        # Not taken off before the answer: if we are cancelled, the next one does them.
        done = list(self._waiting)
        answer: Exception | None = None
        try:
            await self._work([thing for things, _ in done for thing in things])
        except self._failures as error:
            answer = error
        del self._waiting[: len(done)]
        for _, told in done:
            told.set_result(answer)
