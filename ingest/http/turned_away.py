"""Connections beyond the limit: their clients never come to a route, which would count them."""

import structlog

from ingest.http.sparing import Sparing
from schemas import metrics

log = structlog.get_logger()

# As the path of requests that nobody has read.
_PATH = "connections"
_TOO_MANY = "see who holds so many, or start another gateway; PROFUSE_CONNECTIONS_LIMIT is the most of one"


class TurnedAway:
    """Counts each, and tells of many in a line."""

    def __init__(self, limit: int) -> None:
        self._limit = limit
        self._sparing = Sparing()

    def one(self, now: float) -> None:
        metrics.REQUESTS.labels(_PATH, "503").inc()
        if many := self._sparing.told(_PATH, now):
            log.warning("connections_turned_away", connections=many, limit=self._limit, todo=_TOO_MANY)
