"""Pure: what is measured, beside what, and how far it has to come."""

from collections.abc import Mapping
from dataclasses import dataclass
from enum import StrEnum

import msgspec

# What requests of 10,000 new profiles gave of a bare upsert before small requests were worked on.
BEFORE = 0.12


class Verdict(StrEnum):
    """Better ones first."""

    GOAL = "goal"
    MUST = "must"
    MISSED = "missed"
    SHOWN = "shown"


@dataclass(frozen=True)
class Target:
    """Bounds of a figure's value; without them it is only shown."""

    what: str
    beside: str
    must: float | None = None
    goal: float | None = None
    at_most: bool = False
    unit: str = ""

    def verdict(self, value: float) -> Verdict:
        if self.goal is not None and self._reaches(value, self.goal):
            return Verdict.GOAL
        if self.must is None:
            return Verdict.SHOWN
        return Verdict.MUST if self._reaches(value, self.must) else Verdict.MISSED

    def shown(self, bound: float | None) -> str:
        return "" if bound is None else f"{'≤' if self.at_most else '≥'} {bound:g} {self.unit}".rstrip()

    def _reaches(self, value: float, bound: float) -> bool:
        return value <= bound if self.at_most else value >= bound


class Figure(msgspec.Struct, frozen=True):
    """`value` is what the target is about: a ratio of the two others, or what the unit says."""

    value: float
    ours: float
    beside: float | None = None


def ratio(ours: float, beside: float) -> Figure:
    return Figure(_rounded(ours / beside), _rounded(ours), _rounded(beside))


def alone(value: float) -> Figure:
    """What stands beside nothing."""
    return Figure(_rounded(value), _rounded(value))


def _rounded(value: float) -> float:
    """To what a measurement can tell."""
    return float(f"{value:.4g}")


_HANDLER = "a plain synchronous handler"
_UPSERT = "bare upsert"
_SCALED = f"{BEFORE} of a bare upsert, as requests of 10,000 were"
_BATCHES = "the same in batches of 2,000"
_LOOP = "a bare loop of the same client"

TARGETS: Mapping[str, Mapping[str, Target]] = {
    "idle": {"cpu": Target("idle: CPU without the broker", "of one core", 4, 2, at_most=True, unit="%")},
    "new": {"ratio": Target("profiles/s in requests of 10,000, all new", _UPSERT, 0.22, 0.33)},
    "changed": {"ratio": Target("profiles/s in requests of 10,000, all changed", _UPSERT, 0.22, 0.33)},
    "large": {"alone": Target("10,000 alone, seconds to the answer", f"{_UPSERT} of them", 8, 4, at_most=True)},
    "single": {
        "rate": Target("single requests/s, 64 at a time", _HANDLER, 1, 2),
        "alone": Target("one single request alone, p50 in ms", _HANDLER, 3, 2, at_most=True),
    },
    "sizes": {
        "1": Target("profiles/s in requests of 1", _SCALED, 0.03, 0.06),
        "10": Target("profiles/s in requests of 10", _SCALED, 0.2, 0.4),
        "100": Target("profiles/s in requests of 100", _SCALED, 0.8, 1),
    },
    "behind": {
        "same": Target("a single behind ten of 10,000, same token: p99 in s", "its p99 alone", 1, 0.5, at_most=True, unit="s more"),
        "other": Target("a single behind ten of 10,000, another token: p99 in s", "its p99 alone", 0.5, 0.1, at_most=True, unit="s more"),
    },
    "fire": {"singles": Target("single launches/s without a send", _BATCHES, 0.3, 0.6)},
    "mail": {
        "singles": Target("mails/s of single launches", _LOOP, 0.7, 0.9),
        "batches": Target("mails/s of batches", _LOOP, 0.8, 0.9),
    },
    "webhook": {"batches": Target("webhooks/s of batches", _LOOP, 0.6)},
    "burst": {
        "batches": Target("100,000 launches of batches due at once: last claimed after", "", 10, 5, at_most=True, unit="s"),
        "singles": Target("10,000 single launches due at once: last claimed after", "", 10, 5, at_most=True, unit="s"),
    },
    "peers": {
        "orm": Target("profiles/s in requests of 10,000, all new", "FastStream, SQLAlchemy's ORM", 60, 100),
        "core": Target("profiles/s in requests of 10,000, all new", "FastStream in batches, SQLAlchemy's Core", 4, 5),
    },
    "ladder": {
        "kafka": Target("the floor, through the broker: profiles/s", _UPSERT),
        "match": Target("requests of 10,000, matched: profiles/s", _UPSERT),
        "answer": Target("and answered", _UPSERT),
        "launch": Target("and each launch a row", _UPSERT),
    },
    "debezium": {"rate": Target("profiles/s in requests of 10,000, all new", "Debezium's JDBC sink: upserts alone", goal=1)},
    "stored": {"rate": Target("profiles/s with all these stored", "with 10 thousand", 0.8, 0.9)},
    "lateness": {"p99": Target("claimed after its due time, p99, with all these pending", "", 0.25, 0.05, at_most=True, unit="s")},
    "pending": {"rate": Target("single launches/s with all these pending", "with 100 thousand", 0.9)},
}
"""Each line's figures, in the order in which they are shown."""
