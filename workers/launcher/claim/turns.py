"""Pure: which lanes are asked for due groups, and how many each may have."""

from collections import Counter
from collections.abc import Iterable, Mapping, Sequence
from heapq import nsmallest
from typing import NamedTuple

from workers.launcher.account_share import half
from workers.launcher.claim.lane import Lane
from workers.launcher.claim.parking import Parking

# In one claim.
_MOST_ASKED = 256
# Groups, however small they are: each is a row in each statement that they ask together.
_MOST_OF_A_LANE = 400
# A lane's part of the room, for what goes on: two pages, of which one is marked while the other is sent. More is left to other launchers.
_PART = 8
# Launches of groups that wait, from which on their lane gets no more of them; of what one claim brought half of that are counted.
MOST_WAITING = 32
_MOST_OF_ONE = MOST_WAITING // 2
# Seconds for which a lane is left alone of which one more could not wait.
_REST = 5.0


class Asked(NamedTuple):
    """What a lane may have: so many groups, the last of which begins within so many launches."""

    groups: int
    launches: int


class Waits(NamedTuple):
    """Launches of groups that only wait; `together` of them for what others of their lane would wait for, too."""

    left: int
    together: int


class Turns:
    """Shares a launcher's room out: whoever holds least is asked first, and no account holds more than half.

    Room is counted in launches, of a group at most those of a page, so that many small groups go as far as a few large ones.
    A group that only waits needs no room; how many may wait is bounded for each lane by their launches, and by the room they would take.
    """

    def __init__(self, slots: int, page: int) -> None:
        self._page = page
        self._room = slots * page
        self._holds: Counter[Lane] = Counter()
        # Of that, what takes long, and keeps its lane from nothing.
        self._lasts: Counter[Lane] = Counter()
        self._accounts: Counter[int] = Counter()
        # Launches of its groups that wait for what others of it would wait for, too.
        self._waiting: Counter[Lane] = Counter()
        # The room that those would take that wait.
        self._parking = Parking(2 * self._room)
        # Lanes of which one more could not wait; and until when they rest for it.
        self._refused: set[Lane] = set()
        self._rests: dict[Lane, float] = {}
        # Since when a lane has something due, by the caller's clock.
        self._due: dict[Lane, float] = {}
        # Falls with every turn, so that whoever waited longest goes first.
        self._served: dict[Lane, int] = {}
        self._turn = 0
        # What a group of the lane took in the last claim, in the mean; of a new lane a page, until it is known.
        self._sizes: dict[Lane, int] = {}

    def seen(self, due: Mapping[Lane, float], looked: float) -> None:
        """These have something due, from those moments on; and others only if it was heard since we looked."""
        self._due = {lane: since for lane, since in self._due.items() if since >= looked} | dict(due)
        self._served = {lane: turn for lane, turn in self._served.items() if lane in self._due}
        self._sizes = {lane: size for lane, size in self._sizes.items() if lane in self._due}

    def heard(self, lanes: Iterable[Lane], now: float) -> None:
        """They have something due now."""
        self._due |= dict.fromkeys(lanes, now)

    def due(self) -> Iterable[float]:
        """Since when lanes have something due, or from when on."""
        return self._due.values()

    def asked(self, now: float) -> dict[Lane, Asked]:
        """What each may have, the one first that holds least."""
        free = self._room - self._holds.total()
        self._rest(now)
        due = (lane for lane, since in self._due.items() if since <= now and lane not in self._rests and self._goes_on(lane))
        lanes = nsmallest(_MOST_ASKED, due, self._rank)
        left = {account: half(self._room) - self._accounts[account] for account, _ in lanes}
        # Where a page of a lane waits, what it gets will wait too: no more is out than can be parked, or it would fill its account's half.
        waiting = self._parking.lanes(self._page)
        parking = self._parking.after({lane: self._holds[lane] for lane in waiting})
        rivals = Counter(account for account, _ in self._due)
        asked = {}
        for lane in lanes:
            # Where an account has several lanes, none fills what it may have: the others would wait for a slow one.
            most = half(self._room) if rivals[lane.account] == 1 else half(half(self._room)) - self._holds[lane]
            works = max(1, self._room // _PART) - (self._holds[lane] - self._lasts[lane])
            room = min(most, works, left[lane.account], free)
            if lane in waiting:
                # Where no more may wait, one at a time all the same: it may be one that waits for nothing.
                room = min(room, max(parking.room(lane), 0 if self._holds[lane] else 1))
            if room > 0:
                size = self._sizes.get(lane, self._page)
                groups = min(max(room // size, 1), _MOST_OF_A_LANE)
                # Its next groups may be larger than its last: they take what they were reckoned with.
                taken = groups * size
                asked[lane] = Asked(groups, taken)
                left[lane.account] -= taken
                free -= taken
                if lane in waiting:
                    parking.put(lane, taken)
        return asked

    def took(self, groups: Mapping[Lane, Sequence[int]]) -> None:
        """What a claim gave: how many launches each group has left, by lane."""
        for lane, sizes in groups.items():
            self._turn += 1
            self._served[lane] = self._turn
            weights = [self.weight(size) for size in sizes]
            self._sizes[lane] = max(sum(weights) // len(weights), 1)
            self._hold(lane, sum(weights))

    def weight(self, launches: int) -> int:
        """The room that a group of so many takes."""
        return max(1, min(launches, self._page))

    def gave(self, lane: Lane, launches: int) -> None:
        self._hold(lane, -self.weight(launches))

    def lasts(self, lane: Lane, launches: int) -> None:
        """A group that took so much goes on for long; it comes to `lasted` before it gives that up."""
        self._lasts[lane] += self.weight(launches)

    def lasted(self, lane: Lane, launches: int) -> None:
        self._lasts[lane] -= self.weight(launches)
        self._lasts = +self._lasts

    def parks(self, lane: Lane, launches: int, waits: Waits) -> bool:
        """Whether a group that took so much may give it up while it waits; each that does comes to `left`, and not to `gave`."""
        if self._parking.room(lane) <= 0:
            self._refused.add(lane)
            return False
        self._wait(lane, waits, 1)
        self._hold(lane, -self.weight(launches))
        return True

    def waits(self, lane: Lane, before: Waits, now: Waits) -> None:
        """Fewer of a group that gave up its room wait by now."""
        self._wait(lane, before, -1)
        self._wait(lane, now, 1)

    def goes_on(self, lane: Lane, launches: int, waits: Waits) -> None:
        """A group that gave up its room waits no more, and takes as much again."""
        self._wait(lane, waits, -1)
        self._hold(lane, self.weight(launches))

    def left(self, lane: Lane, waits: Waits) -> None:
        self._wait(lane, waits, -1)

    def _wait(self, lane: Lane, waits: Waits, sign: int) -> None:
        self._parking.put(lane, sign * self.weight(waits.left))
        self._waiting[lane] += sign * min(waits.together, _MOST_OF_ONE)
        # Drops whose launches wait for nothing of their lane's.
        self._waiting = +self._waiting

    def _hold(self, lane: Lane, more: int) -> None:
        self._holds[lane] += more
        self._accounts[lane.account] += more
        # Drops whoever holds nothing.
        self._holds, self._accounts = +self._holds, +self._accounts

    def _rest(self, now: float) -> None:
        """Or one after the other would be claimed in vain, and read, and given back."""
        self._rests = {lane: until for lane, until in self._rests.items() if until > now} | dict.fromkeys(self._refused, now + _REST)
        self._refused.clear()

    def _goes_on(self, lane: Lane) -> bool:
        return self._waiting[lane] < MOST_WAITING

    def _rank(self, lane: Lane) -> tuple[int, int, int]:
        return self._accounts[lane.account], self._holds[lane], self._served.get(lane, 0)
