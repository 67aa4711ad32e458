"""A bound on the bytes that a gateway holds for its requests."""

import asyncio


class Budget:
    """Bytes in use; who needs more than is left waits, but a request that is alone is never too large."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._used = 0
        self._freed = asyncio.Event()

    async def take(self, size: int) -> "Share":
        while self._used and self._used + size > self._limit:
            self._freed.clear()
            await self._freed.wait()
        share = Share(self)
        share.grow(size)
        return share

    def change(self, by: int) -> None:
        self._used += by
        if by < 0:
            self._freed.set()


class Share:
    """One request's part of the budget."""

    def __init__(self, budget: Budget) -> None:
        self._budget = budget
        self._size = 0

    def grow(self, to: int) -> None:
        """Count what is held already, if it turned out to be more than was asked for; others wait for it."""
        more = max(to - self._size, 0)
        self._size += more
        self._budget.change(more)

    def pass_on(self) -> "Share":
        """To somebody who holds the bytes for longer."""
        heir = Share(self._budget)
        heir._size, self._size = self._size, 0
        return heir

    def release(self) -> None:
        self._budget.change(-self._size)
        self._size = 0
