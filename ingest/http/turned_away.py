"""Connections beyond the limit: their clients never come to a route, which would count them."""

import math

import structlog

from schemas import metrics

log = structlog.get_logger()

# As the path of requests that nobody has read.
_PATH = "connections"
# Seconds; a line for each would fill the disk of whoever is flooded.
_TOLD_EVERY = 10.0
_TOO_MANY = "see who holds so many, or start another gateway; PROFUSE_CONNECTIONS_LIMIT is the most of one"


class TurnedAway:
    """Counts each, and tells of many in a line."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._untold = 0
        self._told = -math.inf

    def one(self, now: float) -> None:
        metrics.REQUESTS.labels(_PATH, "503").inc()
        self._untold += 1
        if now - self._told >= _TOLD_EVERY:
            log.warning("connections_turned_away", connections=self._untold, limit=self._limit, todo=_TOO_MANY)
            self._told, self._untold = now, 0
