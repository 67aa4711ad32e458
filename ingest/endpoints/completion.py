"""Waiting for batches to be finished: one poll for everybody who waits."""

import asyncio
import time
from collections import defaultdict
from collections.abc import Awaitable, Callable, Sequence

import structlog

log = structlog.get_logger()

Finished = Callable[[Sequence[bytes]], Awaitable[list[bytes]]]

_SHORTEST_PAUSE = 0.025
# While they are quick, at most a third of the time goes into polls.
_PAUSE_PER_POLL = 2
# Most of a slow poll is a wait for others, who will be done by then.
_LONGEST_PAUSE = 0.25
_AWAY_PAUSE = 1.0


def pause(poll: float) -> float:
    """Seconds after a poll that took so many."""
    return min(max(_SHORTEST_PAUSE, _PAUSE_PER_POLL * poll), _LONGEST_PAUSE)


class Waiters:
    """Who waits for which batch; `finished` asks the database, and raises one of `away` if it cannot."""

    def __init__(self, finished: Finished, away: tuple[type[Exception], ...]) -> None:
        self._finished = finished
        self._away = away
        self._waiting: dict[bytes, set[asyncio.Event]] = defaultdict(set)
        self._somebody = asyncio.Event()

    async def wait(self, batch: bytes) -> None:
        """Return when every item of the batch is answered."""
        done = asyncio.Event()
        self._waiting[batch].add(done)
        self._somebody.set()
        try:
            await done.wait()
        finally:
            self._forget(batch, done)

    async def run(self) -> None:
        """Poll while anybody waits."""
        while True:
            await self._somebody.wait()
            began = time.monotonic()
            asked = await self.run_once()
            await asyncio.sleep(pause(time.monotonic() - began) if asked else _AWAY_PAUSE)

    async def run_once(self) -> bool:
        """Whether the database answered."""
        try:
            finished = await self._finished(list(self._waiting))
        except self._away as error:
            log.warning("poll_failed", error=type(error).__name__)
            return False
        for batch in finished:
            for done in self._waiting.get(batch, ()):
                done.set()
        return True

    def _forget(self, batch: bytes, done: asyncio.Event) -> None:
        self._waiting[batch].discard(done)
        if not self._waiting[batch]:
            del self._waiting[batch]
        if not self._waiting:
            self._somebody.clear()
