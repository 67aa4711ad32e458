"""The real rooms, inside a test."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

from ingest.starting import open_gateway
from schemas.settings import Settings
from workers.hooks.room import open_hooks
from workers.launcher.room import open_launcher
from workers.matcher.room import open_matcher

OPENING: dict[str, Any] = {"matcher": open_matcher, "launcher": open_launcher}
WORKERS = {**OPENING, "hooks": open_hooks}
ROOMS = {**WORKERS, "gateway": open_gateway}

Headers = tuple[tuple[str, bytes | None], ...]


class Hosted:
    """A running process; `ended` is what it raised."""

    def __init__(self, room: Any, running: asyncio.Task[None]) -> None:
        self._room = room
        self._running = running

    async def ready(self) -> list[str]:
        found: list[str] = await self._room.ready()
        return found

    async def ended(self) -> BaseException:
        """What it ended with, whatever groups it is in."""
        await asyncio.wait([self._running], timeout=40)
        error = self._running.exception()
        while isinstance(error, BaseExceptionGroup):
            error = error.exceptions[0]
        assert error is not None
        return error


@asynccontextmanager
async def hosted(name: str, settings: Settings) -> AsyncIterator[Hosted]:
    stop = asyncio.Event()
    async with ROOMS[name](settings) as room:
        running = asyncio.create_task(room.run(stop))
        try:
            yield Hosted(room, running)
        finally:
            stop.set()
            await asyncio.wait([running])


async def says(room: Hosted, words: str) -> bool:
    """What /readyz would; no words: nothing is wrong."""
    problems = await room.ready()
    return any(words in problem for problem in problems) if words else problems == []
