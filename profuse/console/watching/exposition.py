"""Pure: the samples of a process's /metrics that the console shows."""

from profuse.exposition import Samples, parsed

ITEMS = "profuse_items_total"
MESSAGES = "profuse_messages_total"
LAUNCHES = "profuse_launches_total"
LATENESS = "profuse_launch_lateness_seconds_bucket"
IN_FLIGHT = "profuse_in_flight"
DRAIN_RATE = "profuse_drain_rate"
REFUSED = "profuse_refused_total"
REQUESTS = "profuse_requests_total"
HELD = "profuse_destinations_held"

_SHOWN = frozenset({ITEMS, MESSAGES, LAUNCHES, LATENESS, IN_FLIGHT, DRAIN_RATE, REFUSED, REQUESTS, HELD})


def read(text: str) -> Samples:
    """Raises `ValueError` for what is no exposition."""
    return parsed(text, _SHOWN)
