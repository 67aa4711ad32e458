"""Profiles of launches that waited, read again right before these leave."""

import asyncio
from collections.abc import Awaitable, Callable, Mapping, Sequence

from workers.launcher.clock import clock
from workers.launcher.deliver.away import database_may_be_away
from workers.launcher.deliver.profiles import Stored

# Seconds for which a profile is believed: what is changed is in force within two.
_BELIEVED = 2.0
# Read by one statement: those that come next have waited as long. Of a slow pace nearly all of them are read in vain, once for a launch.
_TOGETHER = 64
_ASKED_AGAIN_AFTER = 1.0

Read = Callable[[Sequence[bytes]], Awaitable[Sequence[Stored]]]
"""The first of these profiles, at least one of them or none."""


class Newest:
    """The profiles of launches that go together, in the order of these: as they were read, and later as they are by then."""

    def __init__(self, read: Read, whose: Sequence[bytes], read_at: float) -> None:
        self._read = read
        self._whose = whose
        self._read_at = read_at
        # Of the last read alone: a page of large profiles would be held twice.
        self._found: Mapping[bytes, Stored] = {}
        self._found_at = read_at
        # Whoever comes while others' are read finds his own, too.
        self._lock = asyncio.Lock()

    def has_aged(self) -> bool:
        """Whether all of them were read a while ago: each launch asks, and most leave before."""
        return clock() - self._read_at > _BELIEVED

    async def of(self, whom: bytes, wanted: Callable[[], bool]) -> Stored | None:
        """As it is now; None when it is not `wanted` any more, which is asked while the database is away."""
        async with self._lock:
            if whom not in self._found or clock() - self._found_at > _BELIEVED:
                self._found = {}
                while whom not in self._found and wanted():
                    await self._read_again(whom)
            return self._found.get(whom)

    async def _read_again(self, whom: bytes) -> None:
        at, asked_at = self._whose.index(whom), clock()
        # Inside of a launch, whose end it must not be.
        with database_may_be_away("profiles_wait"):
            self._found = {each.id: each for each in await self._read(self._whose[at : at + _TOGETHER])}
            self._found_at = asked_at
            return
        await asyncio.sleep(_ASKED_AGAIN_AFTER)
