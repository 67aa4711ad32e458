"""The lines of the bench, in their order: first what needs a quiet stack, then what fills it."""

import asyncio
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass

import asyncpg

from bench import behind, idle, ladder, launches, mails, others, small, webhooks, whole
from bench.client import CannotMeasure
from bench.run import Found, Measure, Run

# Seconds.
_PATIENCE = 180.0


@dataclass(frozen=True)
class Line:
    """`keys` are those of its figures."""

    keys: Sequence[str]
    measure: Measure


LINES = (
    Line(["idle"], idle.measured),
    Line(["new", "changed"], whole.measured),
    Line(["large"], whole.alone),
    Line(["single"], small.singles),
    Line(["sizes"], small.sizes),
    Line(["behind"], behind.measured),
    Line(["fire"], launches.fire),
    Line(["mail"], mails.measured),
    Line(["webhook"], webhooks.measured),
    Line(["burst"], launches.burst),
    Line(["peers"], others.measured),
    Line(["ladder"], ladder.measured),
)


def named(keys: Iterable[str]) -> list[Line]:
    """The lines that these keys name, all if there are none; raises `ValueError` for one that names none."""
    wanted = set(keys)
    known = [key for line in LINES for key in line.keys]
    if unknown := wanted.difference(known):
        raise ValueError(f"no line has the key {', '.join(sorted(unknown))}: they are {', '.join(known)}")
    return [line for line in LINES if not wanted or wanted.intersection(line.keys)]


async def measure(run: Run, lines: Iterable[Line], tell: Callable[[str], None], patience: float = _PATIENCE) -> Found:
    """A line that cannot be measured, or takes so many seconds, does not keep the others."""
    found = Found()
    for line in lines:
        tell(", ".join(line.keys))
        try:
            async with asyncio.timeout(patience):
                measured = await line.measure(run)
        except (CannotMeasure, OSError, asyncpg.PostgresError) as error:
            found.skipped.update(dict.fromkeys(line.keys, str(error) or f"took longer than {patience:.0f} s"))
            continue
        found.figures.update(measured.figures)
        found.parts.update(measured.parts)
        found.latencies.update(measured.latencies)
    return found
