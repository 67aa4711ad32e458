"""Long work of many requests, of which one slice is done at a time."""

import asyncio


class Slices:
    """Who has more to do than a moment's waits here between two slices.

    Else ten large requests did a slice each before a small one takes its next step, and it has some twenty of them to take.
    """

    def __init__(self) -> None:
        self._next = asyncio.Lock()

    async def others_first(self) -> None:
        """Return when everybody who needs a moment had it, and each who waits here before us did a slice."""
        async with self._next:
            await asyncio.sleep(0)
