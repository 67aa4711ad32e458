"""How many launches may be under way at once, and how many of one account, or to one provider."""

import asyncio
from collections import defaultdict
from types import TracebackType
from typing import Protocol
from weakref import WeakValueDictionary

from workers.launcher.account_share import half
from workers.launcher.model import Provider


class Place(Protocol):
    """Such as a semaphore."""

    async def acquire(self) -> object: ...

    def release(self) -> None: ...


class Slot:
    """A place in each of these, taken in their order, and in all of them or none."""

    def __init__(self, *places: Place) -> None:
        self._places = places
        self._taken = 0

    # A class and no generator: each launch takes one, and generators were a tenth of what it costs.
    async def __aenter__(self) -> None:
        try:
            for place in self._places:
                await place.acquire()
                self._taken += 1
        except BaseException:
            self._let_go()
            raise

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        self._let_go()

    def _let_go(self) -> None:
        for place in self._places[: self._taken]:
            place.release()


class Slots:
    """No account holds more than half of them, so that a slow destination of one never takes them all."""

    def __init__(self, count: int) -> None:
        self._all = asyncio.Semaphore(count)
        self.of_one = half(count)
        self._each: defaultdict[int, asyncio.Semaphore] = defaultdict(lambda: asyncio.Semaphore(self.of_one))

    def of(self, account: int) -> tuple[asyncio.Semaphore, asyncio.Semaphore]:
        # Its own first: whoever waits behind his own launches stands in nobody's way.
        return self._each[account], self._all


class OfProviders:
    """As many for each provider as it may have, whatever others do."""

    def __init__(self) -> None:
        # Kept by those who have a place, or wait for one.
        self._each: WeakValueDictionary[int, _Own] = WeakValueDictionary()

    def of(self, provider: Provider) -> asyncio.Semaphore:
        own = self._each.get(provider.id)
        if own is None or own.concurrency != provider.concurrency:
            # Changed meanwhile: those that wait for the former go on there.
            own = self._each[provider.id] = _Own(provider.concurrency)
        return own


class _Own(asyncio.Semaphore):
    def __init__(self, concurrency: int) -> None:
        super().__init__(concurrency)
        self.concurrency = concurrency
