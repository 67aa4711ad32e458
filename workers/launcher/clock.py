"""The clock of leases and pauses."""

import time

# Goes on while the machine is suspended, as a lease in the database does; only Linux has such a clock.
_CLOCK = getattr(time, "CLOCK_BOOTTIME", time.CLOCK_MONOTONIC)


def clock() -> float:
    """Seconds, by a clock that nobody sets and that no suspension stops."""
    return time.clock_gettime(_CLOCK)
