"""Pure: which lanes are asked for due groups, and how many each may have."""

from collections import Counter
from collections.abc import Iterable, Mapping
from heapq import nsmallest
from typing import NamedTuple

from schemas.ids import TriggerId
from workers.launcher.channels.slots import half

# In one claim.
_MOST_ASKED = 256
# Launches of groups that wait, from which on their lane gets no more of them.
MOST_WAITING = 32


class Lane(NamedTuple):
    """The groups of one trigger: where one's destination is slow, the account's other lanes go on."""

    account: int
    trigger: TriggerId


class Turns:
    """Shares a launcher's slots out: whoever holds least is asked first, and no account holds more than half.

    A group that only waits needs no slot; how many may wait is bounded for each lane by their launches, and in all by their number.
    """

    def __init__(self, slots: int) -> None:
        self._slots = slots
        self._holds: Counter[Lane] = Counter()
        self._accounts: Counter[int] = Counter()
        # Launches of its groups that wait.
        self._waiting: Counter[Lane] = Counter()
        self._parked = 0
        # Since when a lane has something due, by the caller's clock.
        self._due: dict[Lane, float] = {}
        # Falls with every turn, so that whoever waited longest goes first.
        self._served: dict[Lane, int] = {}
        self._turn = 0

    def seen(self, due: Mapping[Lane, float], looked: float) -> None:
        """These have something due, from those moments on; and others only if it was heard since we looked."""
        self._due = {lane: since for lane, since in self._due.items() if since >= looked} | dict(due)
        self._served = {lane: turn for lane, turn in self._served.items() if lane in self._due}

    def heard(self, lanes: Iterable[Lane], now: float) -> None:
        """They have something due now."""
        self._due |= dict.fromkeys(lanes, now)

    def free(self) -> int:
        return self._slots - self._holds.total()

    def asked(self, now: float) -> dict[Lane, int]:
        """How many groups each may have, the one first that holds least; together they may be more than are free."""
        if not (free := self.free()):
            return {}
        lanes = nsmallest(_MOST_ASKED, (lane for lane, since in self._due.items() if since <= now and self._goes_on(lane)), self._rank)
        left = {account: half(self._slots) - self._accounts[account] for account, _ in lanes}
        rivals = Counter(account for account, _ in self._due)
        asked = {}
        for lane in lanes:
            # Where an account has several lanes, none fills what it may have: the others would wait for a slow one.
            most = half(self._slots) if rivals[lane.account] == 1 else half(half(self._slots)) - self._holds[lane]
            if (count := min(most, left[lane.account], free)) > 0:
                asked[lane] = count
                left[lane.account] -= count
        return asked

    def took(self, lane: Lane) -> None:
        self._turn += 1
        self._served[lane] = self._turn
        self._hold(lane, 1)

    def gave(self, lane: Lane) -> None:
        self._hold(lane, -1)

    def parks(self, lane: Lane, launches: int) -> bool:
        """Whether a group that waits may give its slot up; each that does comes to `left`, and not to `gave`."""
        if self._parked >= 2 * self._slots:
            return False
        self._parked += 1
        self._waiting[lane] += launches
        self._hold(lane, -1)
        return True

    def left(self, lane: Lane, launches: int) -> None:
        self._parked -= 1
        self._waiting[lane] -= launches
        if not self._waiting[lane]:
            del self._waiting[lane]

    def _hold(self, lane: Lane, more: int) -> None:
        self._holds[lane] += more
        self._accounts[lane.account] += more
        # Drops whoever holds nothing.
        self._holds, self._accounts = +self._holds, +self._accounts

    def _goes_on(self, lane: Lane) -> bool:
        return self._waiting[lane] < MOST_WAITING

    def _rank(self, lane: Lane) -> tuple[int, int, int]:
        return self._accounts[lane.account], self._holds[lane], self._served.get(lane, 0)
