"""How much a stream reads at once, and how long it rests while the world is away."""

import time

import asyncpg

SHORTEST_PAUSE = 0.2
LONGEST_PAUSE = 5.0
TOO_MUCH = (asyncpg.TransactionTimeoutError, asyncpg.QueryCanceledError, TimeoutError)


class Pace:
    """Falls by halves, and comes back by doubling."""

    def __init__(self, chunk: int) -> None:
        self._chunk = chunk
        # How many messages may be read at once.
        self.limit = chunk
        # Seconds.
        self.pause = SHORTEST_PAUSE
        self._again_at = 0.0

    @property
    def resting(self) -> bool:
        return time.monotonic() < self._again_at

    def settled(self) -> None:
        self.limit = min(self.limit * 2, self._chunk)
        self.pause = SHORTEST_PAUSE

    def failed(self, error: Exception) -> None:
        self.pause = min(self.pause * 2, LONGEST_PAUSE)
        self._again_at = time.monotonic() + self.pause
        # It may have been too much at once.
        if isinstance(error, TOO_MUCH):
            self.limit = max(1, self.limit // 2)
