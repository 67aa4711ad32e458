"""How much of what an account may have under way each of its providers may take."""

import asyncio
from collections import Counter, deque
from dataclasses import dataclass


class Shares:
    """Nobody takes more than he leaves free: whoever comes next finds half of what was left."""

    def __init__(self, count: int) -> None:
        self._free = count
        self._taken: Counter[int] = Counter()
        self._waiting: deque[tuple[int, asyncio.Future[None]]] = deque()

    async def acquire(self, who: int) -> None:
        if self._may(who):
            self._take(who)
            return
        waiter = who, asyncio.get_running_loop().create_future()
        self._waiting.append(waiter)
        try:
            await waiter[1]
        except asyncio.CancelledError:
            if waiter in self._waiting:
                self._waiting.remove(waiter)
            else:
                # It was his turn in that moment.
                self.release(who)
            raise

    def release(self, who: int) -> None:
        self._free += 1
        self._taken[who] -= 1
        # Drops whoever has nothing.
        self._taken = +self._taken
        self._admit()

    def _admit(self) -> None:
        """In the order in which they came; who may not yet keeps nobody behind him waiting."""
        for waiter in list(self._waiting):
            # Who was cut off does not know yet.
            if not waiter[1].done() and self._may(waiter[0]):
                self._waiting.remove(waiter)
                self._take(waiter[0])
                waiter[1].set_result(None)

    def _may(self, who: int) -> bool:
        return self._taken[who] < self._free

    def _take(self, who: int) -> None:
        self._free -= 1
        self._taken[who] += 1


@dataclass(frozen=True)
class Share:
    """One provider's."""

    shares: Shares
    provider: int

    async def acquire(self) -> None:
        await self.shares.acquire(self.provider)

    def release(self) -> None:
        self.shares.release(self.provider)
