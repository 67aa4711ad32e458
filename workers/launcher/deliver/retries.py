"""Pure: how long a launch rests between its attempts, and when it is given up.

Rests are a function of the attempt alone. So time that was spent otherwise, as while a server was away, counts for nobody.
A rest that was asked for counts for the attempts that it takes the place of.
"""

from dataclasses import dataclass
from datetime import timedelta

_FIRST_REST = timedelta(seconds=5)
_LONGEST_REST = timedelta(hours=1)
# More or less: what was put off together does not come back together.
_JITTER = 0.2
# Of launches that may have arrived already.
MOST_DOUBTS = 2

SHORTEST_PAUSE = timedelta(seconds=5)
_LONGEST_PAUSE = timedelta(minutes=5)


@dataclass(frozen=True)
class Patience:
    """`attempts`: how long a launch is tried again. `held`: how long it waits for a destination that takes nothing."""

    attempts: timedelta
    held: timedelta

    def rest(self, attempt: int) -> timedelta | None:
        """The rest after the n-th attempt, counted from 0; None: it was the last one."""
        left = self.left(attempt)
        return min(_rest(attempt), left) if left > timedelta() else None

    def left(self, attempt: int) -> timedelta:
        """For rests, from this attempt on."""
        return self.attempts - sum((_rest(before) for before in range(attempt)), timedelta())

    def counts(self, attempt: int, asked: timedelta, dice: float) -> int:
        """For how many attempts one counts that was asked to rest so long: those that would have rested as long.

        `dice` is between 0 and 1: a part of a rest counts as all of it so often that it is right in the mean.
        """
        count = 0
        while (rest := self.rest(attempt + count)) is not None and asked > dice * rest:
            asked -= rest
            count += 1
        return max(count, 1)


def _rest(attempt: int) -> timedelta:
    return min(_FIRST_REST * float(2 ** min(attempt, 20)), _LONGEST_REST)


def jittered(rest: timedelta, dice: float) -> timedelta:
    """`dice` is between 0 and 1."""
    return rest * (1 + _JITTER * (2 * dice - 1))


def pause(waited: timedelta) -> timedelta:
    """How long a group rests whose destination takes nothing, after it has waited for so long: it waits half as long again at most."""
    return min(max(waited / 2, SHORTEST_PAUSE), _LONGEST_PAUSE)
