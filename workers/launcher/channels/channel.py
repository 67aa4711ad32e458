"""The seam for ways out of the house: what a launch needs of its channel, and how one says no."""

from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from typing import NamedTuple, Protocol

from workers.launcher.model import Campaign, Launch, Provider

# The place that all launches of the operator's own mail server go through.
SERVER = "the server"


class Rejected(Exception):
    """This launch will never pass, wherever others do: `code` is the destination's, where it may say something of others, too.

    `answered`: the destination was asked, and said so.
    """

    def __init__(self, why: str, code: int | None = None, *, answered: bool = False) -> None:
        super().__init__(why)
        self.code = code
        self.answered = answered or code is not None


class Gone(Rejected):
    """The same, of a provider that says it is gone for good."""

    def __init__(self, why: str) -> None:
        super().__init__(why, answered=True)


class Deferred(Exception):
    """This launch may pass later; others may pass now.

    `in_doubt`: it may have passed already, and a repeat would be a second one; but not where its id tells a repeat (`told_apart`), unless
    it goes another way. `rest`: seconds that it should wait at least.
    """

    def __init__(self, why: str, code: int | None = None, *, in_doubt: bool = False, told_apart: bool = False, rest: float = 0.0) -> None:
        super().__init__(why)
        self.code = code
        # What broke off has no code, or none of its own.
        self.answered = bool(code)
        self.in_doubt = in_doubt
        self.told_apart = told_apart
        self.rest = rest


class Unavailable(Exception):
    """It is no fault of the launch: nothing passes at that place now, and nothing has. `rest`: seconds for which it asked."""

    def __init__(self, why: str, place: str = SERVER, rest: float | None = None) -> None:
        super().__init__(why)
        self.place = place
        self.rest = rest


class Route(NamedTuple):
    """One way that a launch may go.

    Whichever of its places is held, holds it: the first is where all go through, the last where its recipient is.
    """

    places: tuple[str, ...]
    provider: Provider | None = None


class Channel(Protocol):
    """A way to reach people."""

    def ways(self, campaign: Campaign) -> Sequence[Provider | None]:
        """The first choice first; another is tried only where nothing can have passed by those before it. None: no provider's."""

    def at_once(self, way: Provider | None) -> int:
        """How many launches of an account may be under way at once."""

    def slot(self, campaign: Campaign, way: Provider | None) -> AbstractAsyncContextManager[None]:
        """One of as many launches as may be under way at once; waits for it."""

    def route(self, launch: Launch, way: Provider | None) -> Route:
        """The places on this way."""

    async def send(self, launch: Launch, route: Route) -> None:
        """Hand the launch over for delivery; raises `Rejected`, `Deferred` or `Unavailable`."""

    async def close(self) -> None:
        """Let go of all connections."""


def place_of(provider: Provider) -> str:
    return f"provider {provider.id}"
