"""What each line of the bench is given, and what it gives back."""

from collections.abc import Awaitable, Callable, Mapping, Sequence
from dataclasses import dataclass, field

import asyncpg

from bench.profiles import Load
from bench.stack import Stack
from bench.targets import Figure
from schemas.settings import Settings


@dataclass(frozen=True)
class Run:
    """One stack, and how long it is measured."""

    stack: Stack
    settings: Settings
    pool: asyncpg.Pool
    load: Load
    rounds: int
    # How long a rate of small requests is measured.
    seconds: float


@dataclass(frozen=True)
class Measured:
    """Figures by the keys and names of their targets, and what stands behind them: what each room took, seconds of single requests."""

    figures: Mapping[str, Mapping[str, Figure]]
    parts: Mapping[str, Mapping[str, float]] = field(default_factory=dict)
    latencies: Mapping[str, Sequence[float]] = field(default_factory=dict)


@dataclass
class Found:
    """What all lines found: figures by their targets' keys, or why there are none."""

    figures: dict[str, Mapping[str, Figure]] = field(default_factory=dict)
    skipped: dict[str, str] = field(default_factory=dict)
    parts: dict[str, Mapping[str, float]] = field(default_factory=dict)
    latencies: dict[str, Sequence[float]] = field(default_factory=dict)


Measure = Callable[[Run], Awaitable[Measured]]
