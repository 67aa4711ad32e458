"""Pure: how fast things go, and how late, from what processes said at two moments."""

import itertools
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass, field

from profuse.console.watching.exposition import LATENESS
from profuse.exposition import Samples


@dataclass(frozen=True)
class Room:
    """One process as it was seen at a moment."""

    name: str
    url: str
    # Why it is not well; nothing where it is.
    problems: Sequence[str]
    # None: it did not answer.
    samples: Samples | None = None


@dataclass(frozen=True)
class Look:
    """All processes at a moment, in seconds of a clock that only goes forward."""

    at: float
    rooms: Sequence[Room] = field(default_factory=tuple)


def total(look: Look, name: str, **labels: str) -> float:
    """The sum of a metric over all processes."""
    return sum(_sum(room.samples, name, labels) for room in look.rooms if room.samples is not None)


def most(look: Look, name: str) -> float | None:
    """The largest that any process says; None where none says it."""
    said = [value for room in look.rooms for (each, _), value in (room.samples or {}).items() if each == name]
    return max(said, default=None)


def by_label(look: Look, name: str, label: str) -> dict[str, float]:
    """The sums of a metric by one of its labels."""
    found: dict[str, float] = {}
    for room in look.rooms:
        for (each, labels), value in (room.samples or {}).items():
            if each == name:
                key = dict(labels).get(label, "")
                found[key] = found.get(key, 0) + value
    return found


def rate(looks: Sequence[Look], name: str, **labels: str) -> float | None:
    """How much a counter grew in a second, from the first look to the last one; None where there is only one."""
    if len(looks) < 2 or looks[-1].at <= looks[0].at:
        return None
    grown = sum(_grown(before, after, name, labels) for before, after in itertools.pairwise(looks))
    return grown / (looks[-1].at - looks[0].at)


def lateness(looks: Sequence[Look], share: float) -> float | None:
    """Within how many seconds so large a share of the groups was claimed that fell due meanwhile; None where none did."""
    if not looks:
        return None
    bounds: dict[float, float] = {}
    for before, after in itertools.pairwise(looks):
        for bound in _bounds(after):
            grown = _grown(before, after, LATENESS, {"le": bound})
            bounds[float(bound)] = bounds.get(float(bound), 0) + grown
    return quantile(bounds, share)


def quantile(cumulative: Mapping[float, float], share: float) -> float | None:
    """Of a histogram's buckets, read as Prometheus reads them: evenly filled. Beyond the last bound, that bound."""
    bounds = sorted(cumulative)
    if not bounds or not cumulative[bounds[-1]]:
        return None
    rank, lower, below = share * cumulative[bounds[-1]], 0.0, 0.0
    for bound in bounds:
        if cumulative[bound] >= rank:
            if bound == float("inf"):
                return lower
            inside = cumulative[bound] - below
            return bound if not inside else lower + (bound - lower) * (rank - below) / inside
        lower, below = bound, cumulative[bound]
    return lower


def _bounds(look: Look) -> Iterable[str]:
    return {dict(labels)["le"] for room in look.rooms for (name, labels) in room.samples or () if name == LATENESS}


def _grown(before: Look, after: Look, name: str, labels: Mapping[str, str]) -> float:
    earlier = {room.url: room.samples for room in before.rooms}
    grown = 0.0
    for room in after.rooms:
        was = earlier.get(room.url)
        # Nobody knows how much of it is new of a process that is seen for the first time.
        if room.samples is None or was is None:
            continue
        now, then = _sum(room.samples, name, labels), _sum(was, name, labels)
        # A counter that is smaller than it was began anew with its process.
        grown += now - then if now >= then else now
    return grown


def _sum(samples: Samples, name: str, labels: Mapping[str, str]) -> float:
    wanted = labels.items()
    return sum(value for (each, its), value in samples.items() if each == name and wanted <= set(its))
