"""Processes that are neither gone nor answering: stopped, and let go again."""

import re
from collections.abc import Iterator
from contextlib import contextmanager, suppress

import httpx2
import psutil

from profuse.plain_http import NO_CERTIFICATES
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
    return {room: httpx2.get(f"{url}/readyz", verify=NO_CERTIFICATES, timeout=8).json()["problems"] for room, url in _rooms(stack).items()}


def unready_by_metrics(stack: Door) -> set[str]:
    """Rooms of which an alarm would know, asked as Prometheus asks."""
    pages = {room: httpx2.get(f"{url}/metrics", verify=NO_CERTIFICATES, timeout=10).text for room, url in _rooms(stack).items()}
    return {room for room, page in pages.items() if re.search(r'^profuse_problems\{page="readyz"\} [1-9]', page, re.MULTILINE)}


def _rooms(stack: Door) -> dict[str, str]:
    return {each.room: each.url for each in running(stack).processes if each.room in ("gateway", "matcher", "launcher")}
