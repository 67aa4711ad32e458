"""Whose messages are tried a few at a time, or alone, because of what became of those before; and whose trials are over."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from typing import Generic

from schemas.topics import M
from workers.exactly_once.chunks import Entry, by_partition
from workers.exactly_once.ownership import Ownership

# So often a message is tried alone by one process, whose transaction is cut short; and by processes that end meanwhile.
ALONE = 2
DEATHS = 3
TOO_LONG = "takes too long, even alone"
DEADLY = f"{DEATHS} workers ended while they tried it alone"


class Trials(Generic[M]):
    """What this process has tried alone and not got through."""

    def __init__(self) -> None:
        self._failed: Counter[tuple[int, int]] = Counter()

    def judged(self, chunk: Sequence[Entry[M]], deaths: Mapping[int, int]) -> Sequence[Entry[M]]:
        """The chunk without hope for what failed before; `deaths` are those that a partition's next message has seen."""
        if len(chunk) != 1:
            return chunk
        if deaths.get(chunk[0].record.partition, 0) >= DEATHS:
            return [chunk[0].buried(DEADLY)]
        return [chunk[0].buried(TOO_LONG)] if self._failed[_place(chunk[0])] >= ALONE else chunk

    def failed(self, chunk: Sequence[Entry[M]]) -> None:
        if len(chunk) == 1:
            self._failed[_place(chunk[0])] += 1

    def passed(self, chunk: Sequence[Entry[M]]) -> None:
        """What was tried of other partitions is not forgotten for it."""
        # As nearly always: nothing was, and each chunk comes here.
        if self._failed:
            passed = dict(by_partition(chunk))
            self._failed = Counter({place: count for place, count in self._failed.items() if place[0] not in passed})


class Suspects:
    """Partitions whose last holder ended without letting go, or whose last chunk was cut short: perhaps a message of theirs is to blame.

    Each is read apart from all others, from one message on, until a whole chunk has passed or nothing is left.
    """

    def __init__(self, chunk: int) -> None:
        self._chunk = chunk
        # How many of its messages are read next; the first one's turn it is.
        self._limits: dict[int, int] = {}
        self._others = False

    def add(self, partitions: Iterable[int]) -> None:
        self._limits |= dict.fromkeys(partitions, 1)

    def next(self, owned: Ownership, limit: int) -> tuple[list[int], int]:
        """Which partitions are read now, none for all of ours, and how many messages of them at most."""
        if not self._limits:
            return [], limit
        # What was let go is taken over again, and no less suspect for that.
        again = {each.partition for each in owned.waiting}
        lagging = owned.lagging()
        self._limits = {partition: few for partition, few in self._limits.items() if partition in lagging | again}
        suspects = [partition for partition in self._limits if partition in lagging]
        others = [each.partition for each in owned.positions if each.partition not in self._limits]
        self._others = bool(others) and not self._others
        if self._others or not suspects:
            return others, limit
        return suspects[:1], min(self._limits[suspects[0]], limit)

    def passed(self, partitions: Iterable[int]) -> None:
        """What was read of them is committed; of suspects more is read next time, and another one first."""
        for partition in self._limits.keys() & set(partitions):
            few = 2 * self._limits.pop(partition)
            if few <= self._chunk:
                self._limits[partition] = few


def _place(entry: Entry[M]) -> tuple[int, int]:
    return entry.record.partition, entry.record.offset
