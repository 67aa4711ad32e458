"""Processes that are neither gone nor answering: stopped, and let go again."""

from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx
import psutil

from tests.stack.door import Door
from tests.stack.producer import process_of, running


@contextmanager
def frozen(stack: Door, name: str) -> Iterator[None]:
    """A process with all that it has started; itself first, or it would start others meanwhile."""
    first = process_of(stack, name)
    first.suspend()
    stopped = [first, *first.children(recursive=True)]
    try:
        for process in stopped:
            # A backend may have ended meanwhile.
            with suppress(psutil.NoSuchProcess):
                process.suspend()
        yield
    finally:
        for process in stopped:
            with suppress(psutil.NoSuchProcess):
                process.resume()


def problems(stack: Door) -> dict[str, list[str]]:
    """What each room says of itself, asked as an orchestrator asks: not for long."""
    rooms = {each.room: each.url for each in running(stack).processes if each.room in ("gateway", "matcher", "launcher")}
    return {room: httpx.get(f"{url}/readyz", timeout=8).json()["problems"] for room, url in rooms.items()}
