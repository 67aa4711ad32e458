"""Pure: the newest events of a partition, read once for all hooks that keep up."""

from bisect import bisect_left
from collections import defaultdict, deque
from collections.abc import Iterable, Iterator
from itertools import islice

from workers.hooks.model import Event

# What an event takes beside its own bytes.
_OVERHEAD = 250


class Window:
    """Knows every event of [start, end); what is older goes when the bytes are too many, whoever still waits for it."""

    def __init__(self, start: int) -> None:
        self.start = self.end = start
        self._size = 0
        self._all: deque[Event] = deque()
        self._of: defaultdict[int, deque[Event]] = defaultdict(deque)

    def add(self, events: Iterable[Event], end: int, limit: int) -> dict[int, int]:
        """The events before `end`; each account that has some of them, and the offset of its first one."""
        first: dict[int, int] = {}
        for event in events:
            self._all.append(event)
            self._of[event.account].append(event)
            self._size += len(event.value) + _OVERHEAD
            first.setdefault(event.account, event.offset)
        self.end = max(self.end, end)
        while self._size > limit:
            self._drop_oldest()
        return first

    def after(self, account: int, position: int) -> Iterator[Event]:
        """The account's events from a position on that is not before the start."""
        events = self._of.get(account, deque())
        return islice(events, bisect_left(events, position, key=lambda event: event.offset), None)

    def _drop_oldest(self) -> None:
        oldest = self._all.popleft()
        own = self._of[oldest.account]
        own.popleft()
        if not own:
            del self._of[oldest.account]
        self._size -= len(oldest.value) + _OVERHEAD
        self.start = oldest.offset + 1
