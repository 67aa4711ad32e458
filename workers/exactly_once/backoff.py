"""How much a stream reads at once, and how long it rests while the world is away."""

import random
import time

from workers.exactly_once.trouble import Overlong

SHORTEST_PAUSE = 0.2
LONGEST_PAUSE = 5.0
# Seconds of preparing and applying that a chunk should take at most: whoever comes behind it waits for all of it.
AIM = 0.25
# So few are not made fewer, and more only while they take no longer than that.
FEW = 32
BEARABLE = 1.0


class Backoff:
    """Falls by halves, and comes back by doubling; `limit` 1 means that each message is tried alone."""

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

    def settled(self, messages: int, seconds: float) -> None:
        """So many took so long, without what any chunk takes: the next one has as many as will fit, and half as many at least."""
        if seconds <= AIM or (messages <= FEW and seconds < BEARABLE):
            self.limit = min(self.limit * 2, self._chunk)
        elif messages > FEW:
            # Few that took long say nothing of many: they may have waited for somebody.
            self.limit = max(FEW, int(min(self.limit, messages) * max(AIM / seconds, 0.5)))
        self.pause = SHORTEST_PAUSE

    def overlong(self, messages: int) -> None:
        """So many were too much at once; the servers are there, and nobody has to rest for long."""
        self.limit = max(1, min(self.limit, messages) // 2)

    def failed(self, error: Exception) -> None:
        # Somebody answered just before, and may again.
        self.pause = SHORTEST_PAUSE if isinstance(error, Overlong) else min(self.pause * 2, LONGEST_PAUSE)
        # Not all of those who wait for one server at the same moment.
        self._again_at = time.monotonic() + self.pause * random.uniform(1, 1.25)  # noqa: S311
