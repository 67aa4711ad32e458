"""Pure: how much of what only waits a launcher keeps, and whose it is."""

from collections import Counter
from collections.abc import Mapping
from typing import TypeVar

from workers.launcher.account_share import half
from workers.launcher.claim.lane import Lane

Who = TypeVar("Who")


class Parking:
    """Groups that wait, by the room that they would take; bounded in all, because each holds profiles.

    No account has more of it than it leaves free, nor a lane of its account's half: whoever comes next finds half of what was left.
    """

    def __init__(self, most: int) -> None:
        self._most = most
        self._lanes: Counter[Lane] = Counter()
        self._accounts: Counter[int] = Counter()

    def of(self, lane: Lane) -> int:
        return self._lanes[lane]

    def all(self) -> int:
        return self._accounts.total()

    def lanes(self, least: int) -> frozenset[Lane]:
        """Those of which so much waits."""
        return frozenset(lane for lane, parked in self._lanes.items() if parked >= least)

    def room(self, lane: Lane) -> int:
        """How much more of it may come."""
        of_account, of_lane = self._accounts[lane.account], self._lanes[lane]
        left = min(self._most - self.all() - of_account, half(self._most) - of_account - of_lane)
        return (left + 1) // 2

    def put(self, lane: Lane, more: int) -> None:
        """Less than none: so much has left."""
        _add(self._lanes, lane, more)
        _add(self._accounts, lane.account, more)

    def after(self, coming: Mapping[Lane, int]) -> "Parking":
        """As it is when these have come, too."""
        later = Parking(self._most)
        later._lanes, later._accounts = self._lanes.copy(), self._accounts.copy()
        for lane, more in coming.items():
            later.put(lane, more)
        return later


def _add(counter: Counter[Who], who: Who, more: int) -> None:
    counter[who] += more
    if not counter[who]:
        del counter[who]
