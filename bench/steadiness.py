"""What the samples of a soak come to, as tables."""

import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from statistics import linear_regression, median
from typing import Any

from rich.console import Console
from rich.table import Table

from schemas.settings import MIB

STEADY = "steady"
_ROWS = 7

# One line of the file.
Taken = Mapping[str, Any]


def shown(console: Console, file: Path) -> None:
    taken = [json.loads(line) for line in file.read_text().splitlines()]
    steady = [each for each in taken if each["phase"] == STEADY]
    for table in (over_time(steady), growth(steady), stored(steady), away(taken)):
        console.print(table)


def over_time(steady: Sequence[Taken]) -> Table:
    """The load, what is behind, and how fast small requests are answered."""
    shown = Table("minute", "profiles", "behind", "latest due", "groups pending", "small: median", "99 %", "broker's disk", title="Load")
    for each in _spread(steady):
        found = each["sample"]
        shown.add_row(
            f"{each['minute']:.0f}",
            f"{each['acknowledged']:,}",
            f"{found['lag']:,}",
            f"{found['late']:.2f} s",
            f"{found['pending']:,}",
            _milliseconds(each["median"]),
            _milliseconds(each["slowest"]),
            f"{found['broker_disk'] / MIB:,.0f} MiB",
        )
    return shown


def growth(steady: Sequence[Taken]) -> Table:
    """Memory of each process, and its slope over the second half."""
    rows = _spread(steady)
    shown = Table("process, MiB at minute", *[f"{each['minute']:.0f}" for each in rows], "slope of the second half", title="Memory")
    half = steady[len(steady) // 2 :]
    for name in steady[-1]["sample"]["memory"]:
        points = [(each["minute"] / 60, each["sample"]["memory"][name]) for each in half if name in each["sample"]["memory"]]
        slope = f"{linear_regression(*zip(*points, strict=True)).slope:+.1f} MiB an hour" if len(points) > 1 else "-"
        shown.add_row(name, *[f"{each['sample']['memory'].get(name, 0):.0f}" for each in rows], slope)
    return shown


def stored(steady: Sequence[Taken]) -> Table:
    """Sizes of tables of at least 1 MiB and their indexes, dead rows, and how often Postgres vacuumed them."""
    rows = _spread(steady)
    shown = Table("table + indexes, MiB at minute", *[f"{each['minute']:.0f}" for each in rows], "live", "dead", "vacuums", title="Tables")
    for name, last in steady[-1]["sample"]["tables"].items():
        if last["table"] + last["indexes"] < MIB:
            continue
        sizes = [each["sample"]["tables"].get(name) for each in rows]
        columns = [f"{size['table'] / MIB:.0f} + {size['indexes'] / MIB:.0f}" if size else "-" for size in sizes]
        shown.add_row(name, *columns, f"{last['live']:,}", f"{last['dead']:,}", str(last["vacuums"]))
    return shown


def away(taken: Sequence[Taken]) -> Table:
    """The most memory of each process in each phase."""
    phases = list(dict.fromkeys(each["phase"] for each in taken))
    shown = Table("process, most MiB", *phases, title="Memory while Postgres is away")
    for name in taken[-1]["sample"]["memory"]:
        found = [[each["sample"]["memory"].get(name, 0) for each in taken if each["phase"] == phase] for phase in phases]
        shown.add_row(name, *[f"{max(sizes):.0f} (median {median(sizes):.0f})" for sizes in found])
    return shown


def _spread(steady: Sequence[Taken]) -> list[Taken]:
    """So many samples, evenly apart."""
    if len(steady) <= _ROWS:
        return list(steady)
    return [steady[round(at * (len(steady) - 1) / (_ROWS - 1))] for at in range(_ROWS)]


def _milliseconds(seconds: float | None) -> str:
    return "-" if seconds is None else f"{seconds * 1000:.0f} ms"
