"""What a claimed group takes of a launcher's room, and when it gives that up."""

from collections.abc import Callable
from typing import NamedTuple

from workers.launcher.claim.lane import Lane
from workers.launcher.claim.turns import Turns, Waits


class Spread(NamedTuple):
    """Of a group of a batch that is spread: how many of its launches count, and who hears how many these were, and are."""

    most: int
    tell: Callable[[int, int], None]


class Holding:
    """What a claimed group holds, until it leaves or only waits."""

    def __init__(self, turns: Turns, lane: Lane, launches: int, wake: Callable[[], None], spread: Spread | None = None) -> None:
        self._turns = turns
        self._lane = lane
        self._launches = launches
        self._wake = wake
        self._spread = spread
        self._left = launches
        self._lasts = False
        self._waits: Waits | None = None

    def looked(self, left: int, together: int, came: bool) -> bool:
        """So many are left a while after they were begun, or after the last look; `came`: some ended meanwhile that waited for no pace.

        `together` of them wait for what others of their trigger would wait for, too. False: they only wait, and there is no place for that.
        """
        left = left if self._spread is None else min(left, self._spread.most)
        self._tell(left)
        waits = Waits(left, together)
        if came:
            self._goes_on()
        elif self._waits is not None:
            self._turns.waits(self._lane, self._waits, waits)
            self._waits = waits
        elif self._turns.parks(self._lane, self._launches, waits):
            self._over()
            self._waits = waits
            self._wake()
        else:
            return False
        return True

    def leave(self) -> None:
        self._tell(0)
        self._over()
        if self._waits is None:
            self._turns.gave(self._lane, self._launches)
        else:
            self._turns.left(self._lane, self._waits)
        self._wake()

    def _goes_on(self) -> None:
        if self._waits is not None:
            # Others may have its room by now: there are the fewer of them after it.
            self._turns.goes_on(self._lane, self._launches, self._waits)
            self._waits = None
        if not self._lasts:
            self._turns.lasts(self._lane, self._launches)
            self._lasts = True
            self._wake()

    def _tell(self, left: int) -> None:
        if self._spread is not None:
            self._spread.tell(self._left, left)
            self._left = left

    def _over(self) -> None:
        if self._lasts:
            self._turns.lasted(self._lane, self._launches)
            self._lasts = False
