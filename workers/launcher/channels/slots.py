"""How many launches may be under way at once, and how many of one account, or to one provider."""

import asyncio
from collections import defaultdict
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass

from workers.launcher.model import Provider


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


@dataclass
class _Own:
    concurrency: int
    semaphore: asyncio.Semaphore
    users: int = 0


class OfProviders:
    """As many for each provider as it may have, whatever others do."""

    def __init__(self) -> None:
        self._each: dict[int, _Own] = {}

    @asynccontextmanager
    async def of(self, provider: Provider) -> AsyncIterator[None]:
        own = self._each.get(provider.id)
        if own is None or own.concurrency != provider.concurrency:
            # Changed meanwhile: those that wait for the former go on there.
            own = self._each[provider.id] = _Own(provider.concurrency, asyncio.Semaphore(provider.concurrency))
        own.users += 1
        try:
            async with own.semaphore:
                yield
        finally:
            own.users -= 1
            if not own.users and self._each.get(provider.id) is own:
                del self._each[provider.id]
