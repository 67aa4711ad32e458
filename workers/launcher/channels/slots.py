"""How many launches may be under way at once, and how many of one account."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


def half(count: int) -> int:
    """What one account may hold of so many; of a single one, that."""
    return max(1, count // 2)


class Slots:
    """No account holds more than half of them, so that a slow destination of one never takes them all."""

    def __init__(self, count: int) -> None:
        self._all = asyncio.Semaphore(count)
        self._each: defaultdict[int, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(half(count)))

    @asynccontextmanager
    async def of(self, account: int) -> AsyncIterator[None]:
        # Its own first: whoever waits behind his own launches stands in nobody's way.
        async with self._each[account], self._all:
            yield
