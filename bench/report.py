"""What was found, as tables and as one JSON object."""

import sys
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec
from rich.console import Console
from rich.markup import escape
from rich.table import Table

from bench.run import Found
from bench.targets import TARGETS, Figure, Target, Verdict

# A log has no width.
_WIDE = 180

_STYLES = {Verdict.GOAL: "green", Verdict.MUST: "green", Verdict.MISSED: "red", Verdict.SHOWN: "dim"}


def console() -> Console:
    return Console() if sys.stdout.isatty() else Console(width=_WIDE)


def tables(found: Found) -> Iterator[Table]:
    yield _figures(found)
    for title, parts in found.parts.items():
        table = Table(*parts, "sum", title=title)
        table.add_row(*(f"{part:.1f}" for part in parts.values()), f"{sum(parts.values()):.1f}")
        yield table


def as_json(found: Found) -> str:
    """`new` and `changed` are as they have always been; each other key has its figures by name."""
    told: dict[str, Any] = {key: msgspec.to_builtins(figures) for key, figures in found.figures.items()}
    for phase in {"new", "changed"} & told.keys():
        figure = found.figures[phase]["ratio"]
        told[phase] = {"ours": figure.ours, "floor": figure.beside, "ratio": figure.value}
    skipped = {key: {"skipped": why} for key, why in found.skipped.items()}
    return msgspec.json.encode({**told, **skipped, "parts": _rounded(found.parts)}).decode()


def _rounded(parts: Mapping[str, Mapping[str, float]]) -> dict[str, dict[str, float]]:
    return {title: {room: round(value, 1) for room, value in each.items()} for title, each in parts.items()}


def _figures(found: Found) -> Table:
    table = Table("what", "ours", "beside", "", "must", "goal", "figure", "verdict")
    for key, targets in TARGETS.items():
        for name, target in targets.items():
            if figure := found.figures.get(key, {}).get(name):
                table.add_row(*_row(target, figure))
            elif key in found.skipped:
                table.add_row(target.what, "", target.beside, "", "", "", "", f"[yellow]skipped: {escape(found.skipped[key])}")
    return table


def _row(target: Target, figure: Figure) -> Iterator[str]:
    verdict = target.verdict(figure.value)
    yield from (target.what, _number(figure.ours), target.beside, "" if figure.beside is None else _number(figure.beside))
    yield from (target.shown(target.must), target.shown(target.goal), f"{figure.value:.3g} {target.unit}")
    yield f"[{_STYLES[verdict]}]{verdict}"


def _number(value: float) -> str:
    return f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
