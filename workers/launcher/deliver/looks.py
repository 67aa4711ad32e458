"""When somebody looked last at what may keep launches from beginning: their campaign, and what was taken back."""

import asyncio

from workers.launcher.clock import clock

# What is changed is in force within two seconds, and there is a look in each.
_AGAIN_AFTER = 0.9
# Whoever takes launches back is answered somewhat later than that.
_BELIEVED = 3.0


class Looks:
    """Of pages that were read together. By what was seen long ago nothing begins, whoever keeps us from looking: a broker, a database."""

    def __init__(self, at: float | None = None) -> None:
        self._at = clock() if at is None else at
        self._next = asyncio.Event()

    def are_due(self) -> bool:
        return is_old(self._at)

    def made(self, at: float) -> None:
        """What was seen is as it was then."""
        self._at = at
        self._next.set()
        self._next = asyncio.Event()

    async def recent(self) -> None:
        """Wait for one that is believed."""
        while clock() - self._at > _BELIEVED:
            await self._next.wait()


def is_old(read_at: float) -> bool:
    """Whether what was read then is to be read again."""
    return clock() - read_at > _AGAIN_AFTER
