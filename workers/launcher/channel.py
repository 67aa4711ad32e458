"""The seam for ways out of the house: what a launch needs of its channel, and how one says no."""

import asyncio
from typing import Protocol

from workers.launcher.terms import Launch


class Refused(Exception):
    """This launch will never pass."""


class Deferred(Exception):
    """This launch may pass later; others may pass now."""


class Unavailable(Exception):
    """The destination cannot be reached; nothing may pass now."""


class Channel(Protocol):
    """A way to reach people."""

    # As many launches may be under way at once.
    slots: asyncio.Semaphore

    async def send(self, launch: Launch) -> None:
        """Hand the launch over for delivery; raises `Refused`, `Deferred` or `Unavailable`."""

    async def close(self) -> None:
        """Let go of all connections."""
