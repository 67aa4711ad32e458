"""How many bytes are under way: whoever is well takes less when there is little left, and whoever fails waits for his turn."""

import asyncio
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import NamedTuple

# So much everybody may take, however many there are.
SMALL = 16 * 1024
# The next one may take this part of what is left: so many that take all they may leave something to who comes after them.
_PART = 4


class Taker(NamedTuple):
    """Whose bytes they are, and how often in a row they were not taken."""

    account: int
    hook: int
    attempts: int = 0


class _Waiting(NamedTuple):
    taker: Taker
    size: int
    turn: asyncio.Future[None]


class Share:
    """What one of those under way holds."""

    def __init__(self, budget: "Budget", taker: Taker, size: int) -> None:
        self._budget = budget
        self._taker = taker
        self._size = size

    def becomes(self, size: int) -> None:
        """It is known now."""
        self._budget.hold(self._taker, size - self._size)
        self._size = size


class Budget:
    """A number of bytes that many share, accounts by turns: each leaves as much to the others as it holds."""

    def __init__(self, total: int) -> None:
        self._total = self._left = total
        self._held: Counter[int] = Counter()
        self._held_by_hook: Counter[int] = Counter()
        # By account.
        self._waiting: dict[int, list[_Waiting]] = {}

    def allowance(self, most: int) -> int:
        """How large the next one may be that does not wait."""
        return min(most, max(SMALL, self._left // _PART))

    @asynccontextmanager
    async def share(self, size: int, taker: Taker) -> AsyncIterator[Share]:
        """Waits until there is room, in turn; nothing never waits, and one that is larger than the whole gets the whole."""
        size = min(size, self._total)
        await self._take(size, taker)
        share = Share(self, taker, size)
        try:
            yield share
        finally:
            share.becomes(0)

    def hold(self, taker: Taker, more: int) -> None:
        """Or less."""
        self._note(taker, more)
        self._let_in()

    def _note(self, taker: Taker, more: int) -> None:
        self._left -= more
        self._held[taker.account] += more
        self._held_by_hook[taker.hook] += more

    async def _take(self, size: int, taker: Taker) -> None:
        if not size:
            return
        waiting = _Waiting(taker, size, asyncio.get_running_loop().create_future())
        self._waiting.setdefault(taker.account, []).append(waiting)
        self._let_in()
        try:
            await waiting.turn
        except asyncio.CancelledError:
            # It may have got its turn and the end at the same moment.
            self.hold(taker, 0 if waiting.turn.cancelled() else -size)
            raise

    def _let_in(self) -> None:
        while (first := self._first()) is not None and (first.turn.done() or self._may(first)):
            # Behind all that hold as much, and waited meanwhile.
            queue = self._waiting.pop(first.taker.account)
            queue.remove(first)
            if queue:
                self._waiting[first.taker.account] = queue
            # Or it was ended while it waited.
            if not first.turn.done():
                self._note(first.taker, first.size)
                first.turn.set_result(None)

    def _first(self) -> _Waiting | None:
        """Of the account that holds least; of its hooks the one that holds least, or else has failed least."""
        if not self._waiting:
            return None
        account = min(self._waiting, key=lambda each: self._held[each])
        return min(self._waiting[account], key=lambda each: (self._held_by_hook[each.taker.hook], each.taker.attempts))

    def _may(self, first: _Waiting) -> bool:
        # Half of it is the most that hooks of one account can hold for as long as they hang, a quarter that of the next, and so on.
        after, held = self._left - first.size, self._held[first.taker.account]
        return after >= 0 and (not held or held + first.size <= after)
