"""Waiting for a signal from outside, and giving up after a time."""

import time
from collections.abc import Callable


def eventually(happened: Callable[[], object], seconds: float, what: Callable[[], str], pause: float = 0.01) -> None:
    """Look until it has happened; fail with what was waited for."""
    deadline = time.monotonic() + seconds
    while not happened():
        assert time.monotonic() < deadline, f"not within {seconds:g} s: {what()}"
        # Between two looks, so that those who are watched have the processor.
        time.sleep(pause)
