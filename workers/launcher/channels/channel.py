"""The seam for ways out of the house: what a launch needs of its channel, and how one says no."""

from collections.abc import Sequence
from typing import Protocol

from workers.launcher.channels.slots import Slots
from workers.launcher.model import Launch

# The place that all launches of a channel go through.
SERVER = "the server"


class Rejected(Exception):
    """This launch will never pass. `code` is the destination's, where it gave one."""

    def __init__(self, why: str, code: int | None = None) -> None:
        super().__init__(why)
        self.code = code


class Deferred(Exception):
    """This launch may pass later; others may pass now. `in_doubt`: it may have passed already."""

    def __init__(self, why: str, code: int | None = None, *, in_doubt: bool = False) -> None:
        super().__init__(why)
        self.code = code
        self.in_doubt = in_doubt


class Unavailable(Exception):
    """It is no fault of the launch: nothing passes at that place now."""

    def __init__(self, why: str, place: str = SERVER) -> None:
        super().__init__(why)
        self.place = place


class Channel(Protocol):
    """A way to reach people."""

    # As many launches may be under way at once.
    slots: Slots

    def places(self, launch: Launch) -> Sequence[str]:
        """Where it passes through: whichever of them is held, holds it."""

    async def send(self, launch: Launch) -> None:
        """Hand the launch over for delivery; raises `Rejected`, `Deferred` or `Unavailable`."""

    async def close(self) -> None:
        """Let go of all connections."""
