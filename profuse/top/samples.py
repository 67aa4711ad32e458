"""What processes said of themselves at two moments, and what can be told from that; pure."""

import math
from collections import defaultdict
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field

from profuse.exposition import Labels, Samples


@dataclass(frozen=True)
class Process:
    """A process as it was seen; without samples it did not answer."""

    name: str
    room: str
    samples: Samples | None = None
    # What its /readyz says.
    problems: Sequence[str] = ()


@dataclass(frozen=True)
class Look:
    """All processes at one moment, by a clock that only goes forward."""

    at: float
    processes: Sequence[Process] = ()

    def of(self, room: str) -> "Look":
        return Look(self.at, [process for process in self.processes if process.room == room])

    def samples(self) -> dict[str, Samples]:
        return {process.name: process.samples for process in self.processes if process.samples is not None}


@dataclass(frozen=True)
class Span:
    """Two looks at the same processes; labels that are given choose, those that are not are summed over."""

    before: Look
    now: Look
    _old: dict[str, Samples] = field(init=False)
    _new: dict[str, Samples] = field(init=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "_old", self.before.samples())
        object.__setattr__(self, "_new", self.now.samples())

    def total(self, name: str, **labels: str) -> float:
        """Summed over the processes, as each of them says it now."""
        return sum(value for _, _, value in self._found(name, labels))

    def most(self, name: str, **labels: str) -> float:
        """Of the process that says most."""
        return max((value for _, _, value in self._found(name, labels)), default=0.0)

    def grown(self, name: str, **labels: str) -> float:
        """How much counters grew between the looks; whoever was started in between began at nothing."""
        return sum(self._growth(process, (name, its), value) for process, its, value in self._found(name, labels))

    def rate(self, name: str, **labels: str) -> float:
        seconds = self.now.at - self.before.at
        return self.grown(name, **labels) / seconds if seconds > 0 else 0.0

    def within(self, buckets: str, share: float) -> float | None:
        """The bound of a histogram's first bucket that holds such a share of what was observed between the looks."""
        grown: defaultdict[float, float] = defaultdict(float)
        for process, its, value in self._found(buckets, {}):
            grown[float(dict(its)["le"])] += self._growth(process, (buckets, its), value)
        observed = grown[math.inf]
        return next((bound for bound in sorted(grown) if grown[bound] >= share * observed), None) if observed else None

    def _found(self, name: str, labels: Mapping[str, str]) -> Iterator[tuple[str, Labels, float]]:
        wanted = labels.items()
        for process, samples in self._new.items():
            for (sample, its), value in samples.items():
                if sample == name and wanted <= its:
                    yield process, its, value

    def _growth(self, process: str, key: tuple[str, Labels], value: float) -> float:
        if any(each.name == process and each.samples is None for each in self.before.processes):
            # It ran, and nobody knows how far it was.
            return 0.0
        before = self._old.get(process, {}).get(key, 0.0)
        return value - before if value >= before else value
