"""Waiting for batches to be finished: one poll for everybody who waits."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence

from ingest.sql.results import Finished
from runtime.racing import rest
from runtime.retrying import tell

Ask = Callable[[Sequence[bytes]], Awaitable[Sequence[Finished]]]

# While they are quick, at most a third of the time goes into polls.
_PAUSE_PER_POLL = 2
# The more wait, the more one poll is for.
_PAUSE_PER_WAITING = 0.0004
# Most of a slow poll is a wait for others, who will be done by then.
_LONGEST_PAUSE = 0.1
# Hints may be lost.
_UNTOLD = 0.1
_AWAY_PAUSE = 1.0


def pause(poll: float, waiting: int) -> float:
    """Seconds after a poll that took so many, while others are told of."""
    return min(max(_PAUSE_PER_WAITING * waiting, _PAUSE_PER_POLL * poll), _LONGEST_PAUSE)


class Waiters:
    """Who waits for which batch; `ask` asks the database which are finished, and raises one of `away` if it cannot."""

    def __init__(self, ask: Ask, away: tuple[type[Exception], ...]) -> None:
        self._ask = ask
        self._away = away
        self._waiting: dict[bytes, set[asyncio.Future[Finished | None]]] = defaultdict(set)
        self._leaving = False
        self._somebody = asyncio.Event()
        self._news = asyncio.Event()

    async def wait(self, batch: bytes) -> Finished | None:
        """Return when every item of the batch is answered; None if nobody can wait for it any longer."""
        if self._leaving:
            return None
        told: asyncio.Future[Finished | None] = asyncio.get_running_loop().create_future()
        self._waiting[batch].add(told)
        self._somebody.set()
        # It may be finished already.
        self.hear()
        try:
            return await told
        finally:
            self._forget(batch, told)

    def hear(self) -> None:
        """Something was finished somewhere."""
        self._news.set()

    def leave(self) -> None:
        """The process must go: tell all who wait, and all who come."""
        self._leaving = True
        for batch in self._waiting:
            self._tell(batch, None)

    async def run(self) -> None:
        """Poll while anybody waits, as soon as there are news."""
        while True:
            await self._somebody.wait()
            # Before the poll: what is finished during it is for the next one.
            self._news.clear()
            began = time.monotonic()
            asked = await self.run_once()
            await asyncio.sleep(pause(time.monotonic() - began, len(self._waiting)) if asked else _AWAY_PAUSE)
            await rest(self._news, _UNTOLD)

    async def run_once(self) -> bool:
        """Whether the database answered."""
        try:
            finished = await self._ask(list(self._waiting))
        except self._away as error:
            tell("poll_failed", error)
            return False
        for each in finished:
            self._tell(each.batch, each)
        return True

    def _tell(self, batch: bytes, finished: Finished | None) -> None:
        for told in self._waiting.get(batch, ()):
            if not told.done():
                told.set_result(finished)

    def _forget(self, batch: bytes, told: asyncio.Future[Finished | None]) -> None:
        self._waiting[batch].discard(told)
        if not self._waiting[batch]:
            del self._waiting[batch]
        if not self._waiting:
            self._somebody.clear()
