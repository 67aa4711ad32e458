"""Looks at the processes every two seconds while somebody watches, and remembers five minutes of it."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from profuse.console.watching.rates import Look

EVERY = 2.0
# Who goes from page to page comes back to curves without a hole.
_WATCHED_FOR = 60.0
_REMEMBERED = 150


class Sampler:
    """One for all who watch."""

    def __init__(self, take: Callable[[], Awaitable[Look]], every: float = EVERY) -> None:
        self._take = take
        self._every = every
        self._looks: deque[Look] = deque(maxlen=_REMEMBERED)
        self._wanted_until = 0.0
        self._somebody = asyncio.Event()
        self._news = asyncio.Event()

    async def run(self) -> None:
        """Until cancelled."""
        while True:
            await self._somebody.wait()
            self._looks.append(await self._take())
            news, self._news = self._news, asyncio.Event()
            news.set()
            await asyncio.sleep(self._every)
            if asyncio.get_running_loop().time() > self._wanted_until:
                self._somebody.clear()
                # Across the hole it would say how fast things went while nobody looked.
                self._looks.clear()

    async def now(self) -> Sequence[Look]:
        """What is remembered, the newest last; at least one look."""
        self._want()
        if not self._looks:
            await self._news.wait()
        return tuple(self._looks)

    async def watch(self) -> AsyncIterator[Sequence[Look]]:
        """The same after each look, without an end."""
        while True:
            self._want()
            await self._news.wait()
            yield tuple(self._looks)

    def _want(self) -> None:
        self._wanted_until = asyncio.get_running_loop().time() + _WATCHED_FOR
        self._somebody.set()
