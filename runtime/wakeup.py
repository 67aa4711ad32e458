"""A wait that ends early when there is something else to do."""

import asyncio
from collections.abc import Iterator
from contextlib import contextmanager


class Wakeup:
    """Ends the wait at hand, or else the next one: whoever was busy with something else has not heard it."""

    def __init__(self) -> None:
        self._waiting: asyncio.Timeout | None = None
        self._rang = False

    def ring(self) -> None:
        self._rang = True
        if self._waiting is not None and not self._waiting.expired():
            self._waiting.reschedule(asyncio.get_running_loop().time())
            self._waiting = None

    async def ring_when(self, stop: asyncio.Event) -> None:
        """That we are told to stop is worth ending a wait."""
        await stop.wait()
        self.ring()

    @contextmanager
    def ends(self, waiting: asyncio.Timeout) -> Iterator[None]:
        """What waits inside is ended by that timeout, as soon as this rings."""
        self._waiting = waiting
        if self._rang:
            self.ring()
        try:
            yield
        finally:
            self._waiting, self._rang = None, False
