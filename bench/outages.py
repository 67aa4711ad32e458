"""Postgres away for as long as one likes, while the stack's supervisor would start it again at once."""

import asyncio
import signal
from collections.abc import AsyncIterator, Iterator, Sequence
from contextlib import asynccontextmanager, contextmanager, suppress
from pathlib import Path

import psutil

from profuse.stack.process_identity import process_of, supervised


@contextmanager
def frozen(directory: Path) -> Iterator[None]:
    """It answers nothing, and refuses nothing either."""
    server = _postgres(directory)
    # Itself first, or it would start others meanwhile.
    stopped = [*_suspended([server]), *_suspended(server.children())]
    try:
        yield
    finally:
        _resumed(stopped)


@asynccontextmanager
async def stopped(directory: Path) -> AsyncIterator[None]:
    """It refuses connections; nobody starts it until this is over."""
    running = supervised(directory)
    supervisor = process_of(running.supervisor) if running else None
    if supervisor is None:
        raise RuntimeError(f"nobody supervises {directory}")
    suspended = _suspended([supervisor])
    server = _postgres(directory)
    try:
        # A fast shutdown; its parent is suspended and will not bury it.
        server.send_signal(signal.SIGINT)
        while server.status() != psutil.STATUS_ZOMBIE:
            await asyncio.sleep(0.1)
        yield
    finally:
        _resumed(suspended)


def _postgres(directory: Path) -> psutil.Process:
    running = supervised(directory)
    found = [process_of(each.identity) for each in running.processes if each.room == "postgres"] if running else []
    if not found or found[0] is None:
        raise RuntimeError(f"no Postgres runs in {directory}")
    return found[0]


def _suspended(processes: Sequence[psutil.Process]) -> Sequence[psutil.Process]:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.suspend()
    return processes


def _resumed(processes: Sequence[psutil.Process]) -> None:
    for process in processes:
        with suppress(psutil.NoSuchProcess):
            process.resume()
