"""How many bytes are under way: whoever is well takes less when there is little left, and whoever fails waits for his turn."""

import asyncio
from collections import deque
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

# So much everybody may take, however many there are.
SMALL = 16 * 1024
# The next one may take this part of what is left: so many that take all they may leave something to who comes after them.
_PART = 4


class Share:
    """What one of those under way holds."""

    def __init__(self, budget: "Budget", size: int) -> None:
        self._budget = budget
        self._size = size

    def becomes(self, size: int) -> None:
        """It is known now."""
        self._budget.give(self._size - size)
        self._size = size


class Budget:
    """A number of bytes that many share."""

    def __init__(self, total: int) -> None:
        self._total = self._left = total
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    def allowance(self, most: int) -> int:
        """How large the next one may be that does not wait."""
        return min(most, max(SMALL, self._left // _PART))

    @asynccontextmanager
    async def share(self, size: int) -> AsyncIterator[Share]:
        """Waits until there is room, in turn; nothing never waits, and one that is larger than the whole gets the whole."""
        size = min(size, self._total)
        await self._take(size)
        share = Share(self, size)
        try:
            yield share
        finally:
            share.becomes(0)

    async def _take(self, size: int) -> None:
        if not size:
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._waiting.append((size, turn))
        self._let_in()
        try:
            await turn
        except asyncio.CancelledError:
            # It may have got its turn and the end at the same moment.
            self.give(size if turn.done() and not turn.cancelled() else 0)
            raise

    def give(self, size: int) -> None:
        self._left += size
        self._let_in()

    def _let_in(self) -> None:
        while self._waiting and (self._waiting[0][1].done() or self._waiting[0][0] <= self._left):
            size, turn = self._waiting.popleft()
            if not turn.done():
                self._left -= size
                turn.set_result(None)
