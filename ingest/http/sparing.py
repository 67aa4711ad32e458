"""Lines that each of many requests would write: one tells of all since the last, or they would fill the disk of whoever is flooded."""

import math
from collections.abc import Hashable

# Seconds.
_TOLD_EVERY = 10.0


class Sparing:
    """Counts what is not told yet, by its kind."""

    def __init__(self) -> None:
        self._untold: dict[Hashable, int] = {}
        self._told: dict[Hashable, float] = {}

    def told(self, kind: Hashable, now: float) -> int:
        """How many a line is to tell of, with this one; none: it is not the time for a line."""
        self._untold[kind] = self._untold.get(kind, 0) + 1
        if now - self._told.get(kind, -math.inf) < _TOLD_EVERY:
            return 0
        self._told[kind] = now
        return self._untold.pop(kind)
