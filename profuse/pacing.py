"""Lines that come often, said now and then."""

import time
from collections.abc import Callable

_EVERY = 5.0


def now_and_then(say: Callable[[str], None], every: float = _EVERY) -> Callable[[str], None]:
    """Says the line that comes when so many seconds are over, and again: what is done sooner is done in silence."""
    said = time.monotonic()

    def tell(line: str) -> None:
        nonlocal said
        if time.monotonic() - said >= every:
            said = time.monotonic()
            say(line)

    return tell
