"""A bound on the bytes that a gateway holds for its requests."""

import asyncio

from ingest.tallies import Tally

_PATIENCE = 1.0


class NoRoom(Exception):
    """Too many bytes are held, and none became free soon."""


class Budget:
    """Bytes in use; who needs more than is left waits, but a request that is alone is never too large."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._used = 0
        self._of_tokens = Tally()
        self._freed = asyncio.Event()

    async def make_room(self, more: int, held: int) -> None:
        """Return when more is left, for one who holds something already; raises `NoRoom`."""
        if self._is_left(more, held):
            return
        try:
            async with asyncio.timeout(_PATIENCE):
                while not self._is_left(more, held):
                    self._freed.clear()
                    await self._freed.wait()
        except TimeoutError:
            raise NoRoom from None

    def has_room(self, token: int, size: int) -> bool:
        """Whether a token may hold so much more: half of all is the most for one, however large its only request is."""
        held = self._of_tokens.of(token)
        return not held or held + size <= self._limit // 2

    def change(self, by: int, token: int | None) -> None:
        self._used += by
        self.attribute(by, token)
        if by < 0:
            self._freed.set()

    def attribute(self, by: int, token: int | None) -> None:
        if token is not None:
            self._of_tokens.add(token, by)

    def _is_left(self, more: int, held: int) -> bool:
        return self._used == held or self._used + more <= self._limit


class Share:
    """One request's part of the budget; whose it is shows late, because a token may be in the body."""

    def __init__(self, budget: Budget, token: int | None = None, size: int = 0) -> None:
        self._budget = budget
        self._token = token
        self.size = size

    async def grow(self, to: int) -> None:
        """Hold so many bytes in all, as soon as there is room; raises `NoRoom`."""
        more = to - self.size
        if more > 0:
            await self._budget.make_room(more, self.size)
            self.size += more
            self._budget.change(more, self._token)

    def belong_to(self, token: int) -> None:
        self._token = token
        self._budget.attribute(self.size, token)

    def pass_on(self) -> "Share":
        """To somebody who holds the bytes for longer."""
        heir = Share(self._budget, self._token, self.size)
        self.size = 0
        return heir

    def release(self) -> None:
        self._budget.change(-self.size, self._token)
        self.size = 0
