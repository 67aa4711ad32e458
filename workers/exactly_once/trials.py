"""Messages that are tried alone, because more at once were too much: whoever fails twice is set aside."""

from collections import Counter
from collections.abc import Sequence
from typing import Generic

from schemas.topics import M
from workers.exactly_once.chunks import Entry

ALONE = 2
TOO_LONG = "takes too long, even alone"


class Trials(Generic[M]):
    """What this process has tried alone and not got through."""

    def __init__(self) -> None:
        self._failed: Counter[tuple[int, int]] = Counter()

    def judged(self, chunk: Sequence[Entry[M]]) -> list[Entry[M]]:
        """The chunk without hope for what failed before."""
        return [entry.buried(TOO_LONG) if self._failed[_place(entry)] >= ALONE else entry for entry in chunk]

    def failed(self, chunk: Sequence[Entry[M]]) -> None:
        if len(chunk) == 1:
            self._failed[_place(chunk[0])] += 1

    def passed(self) -> None:
        self._failed.clear()


def _place(entry: Entry[M]) -> tuple[int, int]:
    return entry.record.partition, entry.record.offset
