"""What a gateway has for its requests: a bound on the bytes that it holds for them, and a line for those with long work."""

import asyncio
import itertools

from ingest.admission.slices import Slices
from ingest.admission.tally import Tally

_PATIENCE = 1.0
# Of one who came before others that hold something: their bytes become its own first.
_LONGEST_PATIENCE = 5.0


class NoRoom(Exception):
    """Too many bytes are held, and none became free soon."""


class Budget:
    """Bytes in use; who needs more than is left waits, but a request that is alone is never too large.

    Requests that all wait for one another's bytes would all be sent away: who came last gives way, so that those before it get through.
    """

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._used = 0
        self._of_tokens = Tally()
        self._turns = itertools.count()
        # Bytes by turn, of those who hold any.
        self._held: dict[int, int] = {}
        # Turns of those who hold something and wait for more.
        self._waiting: set[int] = set()
        self._changed = asyncio.Event()
        self.slices = Slices()

    def turn(self) -> int:
        """Who comes later has a higher one."""
        return next(self._turns)

    async def make_room(self, more: int, turn: int, waited: float) -> float:
        """Return when more is left, with the seconds that this turn has waited in all; raises `NoRoom`."""
        if self._is_left(more, turn):
            return waited
        loop = asyncio.get_running_loop()
        began = loop.time() - waited
        if turn in self._held:
            self._waiting.add(turn)
        try:
            while not self._is_left(more, turn):
                self._changed.clear()
                is_last = turn >= max(self._held, default=turn)
                async with asyncio.timeout_at(began + (_PATIENCE if is_last else _LONGEST_PATIENCE)):
                    await self._changed.wait()
        except TimeoutError:
            raise NoRoom from None
        finally:
            self._waiting.discard(turn)
            self._changed.set()
        return loop.time() - began

    def has_room(self, token: int, size: int) -> bool:
        """Whether a token may hold so much more: half of all is the most for one, however large its only request is."""
        held = self._of_tokens.of(token)
        return not held or held + size <= self._limit // 2

    def change(self, by: int, turn: int, token: int | None) -> None:
        self._used += by
        self._held[turn] = self._held.get(turn, 0) + by
        if not self._held[turn]:
            del self._held[turn]
        self.attribute(by, token)
        if by < 0:
            self._changed.set()

    def attribute(self, by: int, token: int | None) -> None:
        if token is not None:
            self._of_tokens.add(token, by)

    def _is_left(self, more: int, turn: int) -> bool:
        held = self._held.get(turn, 0)
        # Who holds nothing yet takes nothing away from those who cannot finish without it.
        is_in_turn = held or not self._waiting
        return self._used == held or bool(is_in_turn and self._used + more <= self._limit)


class Share:
    """One request's part of the budget, and its place in the line; whose it is shows late, because a token may be in the body."""

    def __init__(self, budget: Budget, token: int | None = None, size: int = 0, turn: int | None = None) -> None:
        self._budget = budget
        self._token = token
        self._turn = budget.turn() if turn is None else turn
        self._waited = 0.0
        self.size = size

    async def grow(self, to: int) -> None:
        """Hold so many bytes in all, as soon as there is room; raises `NoRoom`."""
        more = to - self.size
        if more > 0:
            self._waited = await self._budget.make_room(more, self._turn, self._waited)
            self.size += more
            self._budget.change(more, self._turn, self._token)

    async def others_first(self) -> None:
        """Between two slices of long work."""
        await self._budget.slices.others_first()

    def belong_to(self, token: int) -> None:
        self._token = token
        self._budget.attribute(self.size, token)

    def pass_on(self) -> "Share":
        """To somebody who holds the bytes for longer."""
        heir = Share(self._budget, self._token, self.size, self._turn)
        self.size = 0
        return heir

    def release(self) -> None:
        self._budget.change(-self.size, self._turn, self._token)
        self.size = 0
