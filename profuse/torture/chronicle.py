"""Pure: what happened when, and what may be asked of a stack at which moment. Moments are Unix seconds."""

import math
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import NamedTuple


class Span(NamedTuple):
    """A stretch of time."""

    began: float
    ended: float

    def holds(self, moment: float) -> bool:
        return self.began <= moment < self.ended


class Strike(NamedTuple):
    """A fault, from its beginning until the stack had healed from it."""

    kind: str
    began: float
    healed: float


@dataclass
class Chronicle:
    """The calms, in which nothing is broken, and the faults."""

    calms: list[Span] = field(default_factory=list)
    strikes: list[Strike] = field(default_factory=list)

    def waited(self, waits: Iterable[Span], limit: float) -> Iterator[float]:
        """How long whoever began to wait in a calm waited, as far as the calm shows it.

        Whoever still waits when it ends counts only if that is too long already: else nobody knows how it would have ended.
        `ended` is infinite for those that were never served.
        """
        for began, ended in waits:
            calm = next((calm for calm in self.calms if calm.holds(began)), None)
            if calm is not None and (ended < calm.ended or calm.ended - began > limit):
                yield min(ended, calm.ended) - began

    def struck(self, kinds: Iterable[str], between: Span) -> bool:
        """Whether one of these faults was under way at some moment."""
        return any(strike.kind in kinds and strike.began < between.ended and strike.healed > between.began for strike in self.strikes)


def percentile(values: Sequence[float], share: float) -> float:
    """The smallest value that this share of all does not exceed; 0 of none."""
    ordered = sorted(values)
    return ordered[max(0, math.ceil(share * len(ordered)) - 1)] if ordered else 0.0
