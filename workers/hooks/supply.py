"""Where a hook's events come from: the window that all share, or a read of its own."""

from workers.hooks.choosing import within
from workers.hooks.model import Bounds, Event, Place, Stretch
from workers.hooks.newest import Newest
from workers.hooks.reading import Reading


class Supply:
    """What is near the partition's end was read for everybody; whoever fell behind reads alone, and slows nobody."""

    def __init__(self, newest: Newest, reading: Reading) -> None:
        self._newest = newest
        self._reading = reading

    async def after(self, partition: int, position: int, account: int) -> Stretch:
        """The account's events from here on. Raises what the broker raises."""
        window = self._newest.window(partition)
        if window is not None and position >= window.start:
            return Stretch(window.after(account, position), window.end)
        return await self._reading.after(partition, position, account)

    async def between(self, partition: int, bounds: Bounds, account: int) -> list[Event]:
        """The account's events of a batch that was noted. Raises what the broker raises."""
        window = self._newest.window(partition)
        # One that has just begun may have nothing of them yet.
        if window is not None and window.start <= bounds.first and bounds.last < window.end:
            return within(bounds, window.after(account, bounds.first))
        events: list[Event] = []
        position = bounds.first
        while position <= bounds.last:
            stretch = await self._reading.after(partition, position, account)
            events += within(bounds, stretch.events)
            position = stretch.end
        return events

    async def news(self, place: Place, account: int) -> None:
        """Returns at once if there may be events for this place that nobody has looked at, else when there are."""
        window = self._newest.window(place.partition)
        if place.bounds is not None or window is None or place.position < window.start:
            return
        if next(window.after(account, place.position), None) is None:
            await self._newest.news(place, account)
