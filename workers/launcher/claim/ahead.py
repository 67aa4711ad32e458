"""Pure: how far ahead batches that are spread are claimed."""

from collections import Counter
from collections.abc import Sequence

from workers.launcher.groups.group import Group, spread_page


class Ahead:
    """Launches that we have of each batch that is spread: who has a page of them gets no more, and others of its trigger come sooner."""

    def __init__(self, page: int) -> None:
        self._enough = spread_page(page)
        self._left: Counter[bytes] = Counter()

    def enough(self) -> Sequence[bytes]:
        """Batches of which no more is to be claimed, by their names."""
        return [name for name, left in self._left.items() if left >= self._enough]

    def changed(self, name: bytes, before: int, now: int) -> bool:
        """So many of a group are left; whether more of its batch may be claimed by that."""
        had_enough = self._left[name] >= self._enough
        self._left[name] += now - before
        # Drops those of which nothing is left.
        self._left = +self._left
        return had_enough and self._left[name] < self._enough


def name_of(group: Group) -> bytes | None:
    """Of its batch, whose other triggers are spread by themselves; as SQL has it. None: it is not spread, or comes again after a rest."""
    return group.batch + group.trigger.to_bytes(4) if group.is_spread and not group.attempt else None
