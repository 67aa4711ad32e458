"""Asks each process for its metrics, and those that are not ready for the reason."""

import asyncio
import time
from pathlib import Path

import httpx2

from profuse.exposition import parsed
from profuse.stack import state
from profuse.top.rooms import SHOWN, Addresses
from profuse.top.samples import Look, Process

_PATIENCE = 5.0


def of_stack(directory: Path) -> Addresses:
    """As the stack is now: processes come and go."""
    running = state.read(directory)
    return {process.name: (process.room, process.url) for process in (running.processes if running else ()) if process.room in SHOWN}


async def look(http: httpx2.AsyncClient, addresses: Addresses) -> Look:
    # They count up to when they are asked, however long the slowest of them takes.
    asked = time.monotonic()
    return Look(asked, await asyncio.gather(*(_process(http, name, room, url) for name, (room, url) in addresses.items())))


async def _process(http: httpx2.AsyncClient, name: str, room: str, url: str) -> Process:
    try:
        page = await http.get(f"{url}/metrics", timeout=_PATIENCE)
        ready = await http.get(f"{url}/readyz", timeout=_PATIENCE)
        return Process(name, room, parsed(page.raise_for_status().text), tuple(ready.json()["problems"]))
    # Whoever was named by mistake may answer anything.
    except (httpx2.HTTPError, ValueError, LookupError, TypeError):
        return Process(name, room)
