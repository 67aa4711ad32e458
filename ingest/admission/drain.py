"""Pure: how fast the matchers drain the backlog, and how far ahead of them a gateway publishes."""

import math
from collections.abc import Sequence
from dataclasses import dataclass

# A partition that did not move for so long, though it has something to do, is nobody's at the moment.
_STANDING_AFTER = 2.0
# Weighs what is older by less and less.
_REMEMBERED = 2.0
# How far ahead in seconds, and in profiles at least: less would keep a matcher busy with starting chunks, and more
# would be seconds where it is slow.
_ALONE = 0.5, 500
# Where others come in between, it is they who wait; between two looks a matcher may run dry.
_SHARED = 0.2, 250


@dataclass(frozen=True)
class Partition:
    """How far its matcher is, and since when it did not get any further."""

    position: int
    behind: int
    since: float


@dataclass(frozen=True)
class Drain:
    """How far the matchers are behind the topic's ends, and how many profiles they match a second."""

    at: float = 0.0
    rate: float = 0.0
    partitions: Sequence[Partition] = ()

    @property
    def behind(self) -> int:
        return sum(partition.behind for partition in self.partitions)

    @property
    def moving(self) -> int:
        """What is behind where somebody matches; what stands still makes nobody wait, or all would stand still with it."""
        return sum(partition.behind for partition in self.partitions if self.at - partition.since < _STANDING_AFTER)

    def observed(self, at: float, ends: Sequence[int], positions: Sequence[int]) -> "Drain":
        """What a new look at ends and positions tells."""
        if not self.partitions:
            return Drain(at, 0.0, [Partition(position, max(end - position, 0), at) for end, position in zip(ends, positions, strict=True)])
        partitions = [_observed(before, at, end, position) for before, end, position in zip(self.partitions, ends, positions, strict=True)]
        matched = sum(now.position - before.position for now, before in zip(partitions, self.partitions, strict=True))
        return Drain(at, self._rate(at - self.at, matched), partitions)

    def _rate(self, seconds: float, matched: int) -> float:
        if seconds <= 0:
            return self.rate
        if not self.behind:
            # What comes and goes between two looks shows how fast a matcher is at least; else it would be given little for ever.
            return max(self.rate, matched / seconds)
        weight = 1 - math.exp(-seconds / _REMEMBERED)
        return self.rate + weight * (max(matched, 0) / seconds - self.rate)


def _observed(before: Partition, at: float, end: int, position: int) -> Partition:
    behind = max(end - position, 0)
    stood = behind and before.behind and position == before.position
    return Partition(position, behind, before.since if stood else at)


def ahead(rate: float, *, shared: bool) -> int:
    """How many profiles may be ahead of the matchers, so that who comes next does not wait for long."""
    seconds, least = _SHARED if shared else _ALONE
    return max(least, int(rate * seconds))
