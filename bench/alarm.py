"""`make bench-alarm`: a minute of the bench, for CI; it fails only where a ratio has collapsed."""

import asyncio
import json
import os
from collections.abc import Iterable, Mapping
from pathlib import Path
from typing import Annotated

import typer

from bench import report
from bench.entry import opened
from bench.lines import LINES, Line, measure
from bench.profiles import Load
from bench.run import Found
from bench.stack import Stack, running
from bench.targets import TARGETS, Figure, Target

RECORDED = Path(__file__).with_name("recorded.json")
_WATCHED = ("new", "changed", "single", "fire")
_LOAD = Load(40_000, 10_000)
_ROUNDS = 2
_SECONDS = 1.5
# A machine may stumble; what is slow stays slow.
_TRIES = 3
# Other machines, and neighbours on the same one, move ratios by a third.
_COLLAPSED = 0.5

Recorded = Mapping[str, Mapping[str, float]]

console = report.console()


def collapsed(found: Found, recorded: Recorded) -> list[str]:
    """Pure: the keys of what is less than half as good as it was, or was not measured."""
    shares = {
        key: [_share(found.figures.get(key, {}).get(name), before, TARGETS[key][name]) for name, before in names.items()]
        for key, names in recorded.items()
    }
    return [key for key, each in shares.items() if min(each) < _COLLAPSED]


def _share(figure: Figure | None, before: float, target: Target) -> float:
    if figure is None:
        return 0
    return before / figure.value if target.at_most else figure.value / before


def main(record: Annotated[bool, typer.Option("--record", help="Write down what is found instead.")] = False) -> None:
    """Measure a few lines, and compare them with what was recorded."""
    recorded: Recorded = json.loads(RECORDED.read_text())
    with running("--matchers", str(os.cpu_count())) as stack:
        found = asyncio.run(_measured(stack, _WATCHED))
        bad = [] if record else collapsed(found, recorded)
        for _ in range(_TRIES - 1):
            if not bad:
                break
            again = asyncio.run(_measured(stack, bad))
            bad = [key for key in collapsed(again, recorded) if key in bad]
    for table in report.tables(found):
        console.print(table)
    if record:
        values = {key: {name: figure.value for name, figure in found.figures[key].items()} for key in _WATCHED}
        RECORDED.write_text(json.dumps(values, indent=1) + "\n")
    for key in bad:
        console.print(f"[red]{key}: less than half of what was recorded, {recorded[key]}")
    raise typer.Exit(1 if bad else 0)


async def _measured(stack: Stack, keys: Iterable[str]) -> Found:
    lines: list[Line] = [line for line in LINES if set(keys) & set(line.keys)]
    async with opened(stack, _LOAD, _ROUNDS, _SECONDS) as run:
        return await measure(run, lines, lambda line: console.print(f"Measuring {line} …"))


if __name__ == "__main__":
    typer.run(main)
