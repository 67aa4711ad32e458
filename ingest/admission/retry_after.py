"""Pure: when who is refused may come again."""

import math

_SLOWEST_RATE = 1.0
_LONGEST = 60


def retry_after(in_flight: int, asked: int, limit: int, rate: float) -> int | None:
    """Seconds until there is room for as many profiles as are asked for, at `rate` a second; None: they are admitted."""
    if not in_flight or in_flight + asked <= limit:
        return None
    return until_matched(min(in_flight, in_flight + asked - limit), rate)


def until_matched(profiles: int, rate: float) -> int:
    """Seconds, whole ones, until so many are matched."""
    return max(1, min(math.ceil(profiles / max(rate, _SLOWEST_RATE)), _LONGEST))
