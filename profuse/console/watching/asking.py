"""Asks the processes how they are: the stack's own, or those that a setting names."""

import asyncio
import socket
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

import httpx2

from profuse.console.watching import exposition
from profuse.console.watching.rates import Look, Room
from profuse.stack import state
from profuse.stack.state import State
from schemas import server_urls
from schemas.settings import Settings

PATIENCE = 2.0
# More than anybody runs of a room; a name that means more would make each look cost too much.
_MOST = 64


@dataclass(frozen=True)
class Place:
    """A process, and where its health port is."""

    name: str
    url: str


async def places(settings: Settings, directory: Path) -> list[Place]:
    """Where to ask now: processes come and go."""
    if settings.console_rooms:
        behind = [await _behind(url) for url in settings.console_rooms]
        return [place for each in behind for place in each][:_MOST]
    found = await running(directory)
    return [Place(process.name, process.url) for process in found.processes if process.url.startswith("http")] if found else []


async def running(directory: Path) -> State | None:
    """The stack of a directory, where there is one that this release knows."""
    try:
        return await asyncio.to_thread(state.read, directory)
    except (OSError, ValueError):
        return None


async def look(client: httpx2.AsyncClient, asked: Sequence[Place]) -> Look:
    """All of them at once."""
    rooms = await asyncio.gather(*(_room(client, place) for place in asked))
    return Look(asyncio.get_running_loop().time(), rooms)


async def _behind(url: str) -> list[Place]:
    """One for each address that a name has: a service that is scaled has several."""
    try:
        parts = urlsplit(url)
        found = await asyncio.get_running_loop().getaddrinfo(parts.hostname, parts.port or 80, type=socket.SOCK_STREAM)
    except (OSError, ValueError):
        # It is shown as one that does not answer; also what is no URL, or no name, must not keep the others from being asked.
        return [Place(url.partition("//")[2], url)]
    addresses = sorted({str(each[4][0]) for each in found})
    if len(addresses) == 1:
        return [Place(parts.netloc, url)]
    return [
        Place(f"{parts.netloc} {each}", f"{parts.scheme}://{f'[{each}]' if ':' in each else each}:{parts.port or 80}") for each in addresses
    ]


async def _room(client: httpx2.AsyncClient, place: Place) -> Room:
    try:
        # What is no address fails in each library below in a way of its own.
        url = server_urls.room(place.url)
        async with asyncio.timeout(PATIENCE):
            alive, ready, metrics = await asyncio.gather(*(client.get(f"{url}/{page}") for page in ("healthz", "readyz", "metrics")))
            problems = [problem for answer in (alive, ready) for problem in _problems(answer)]
            return Room(place.name, place.url, tuple(dict.fromkeys(problems)), exposition.read(metrics.text))
    except (httpx2.HTTPError, OSError, TimeoutError, ValueError) as error:
        return Room(place.name, place.url, (f"does not answer ({type(error).__name__})",))


def _problems(answer: httpx2.Response) -> list[str]:
    """What /healthz or /readyz has against its process."""
    if answer.is_success:
        return []
    told = answer.json()
    return [str(each) for each in told["problems"]] if isinstance(told, dict) and told.get("problems") else [f"HTTP {answer.status_code}"]
