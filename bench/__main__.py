"""`make bench`: the whole pipeline beside a bare upsert, in one run; the last line is JSON."""

import asyncio
import json
import os
from statistics import median
from typing import Annotated

import asyncpg
import typer
from rich.console import Console
from rich.progress import Progress
from rich.table import Table

from bench import floor, pipeline
from bench.profiles import Load
from bench.stack import Stack, running

PHASES = ("new", "changed")

console = Console()


def main(
    profiles: Annotated[int, typer.Option(help="Profiles stored in each phase of each round.")] = 100_000,
    per_request: Annotated[int, typer.Option(help="Profiles in one request.")] = 10_000,
    rounds: Annotated[int, typer.Option(help="Rounds; the median counts.")] = 3,
) -> None:
    """Store the same profiles through the pipeline and by a bare upsert, in turn, and print the ratio of their speeds."""
    load = Load(profiles, per_request)
    console.print("Starting a stack for this run …")
    with running("--matchers", str(os.cpu_count())) as stack:
        figures = asyncio.run(_measure(stack, load, rounds))
    _show(figures)
    print(json.dumps({phase: {name: figures[phase][name] for name in ("ours", "floor", "ratio")} for phase in PHASES}))


async def _measure(stack: Stack, load: Load, rounds: int) -> dict[str, dict[str, float]]:
    taken: dict[str, list[tuple[float, pipeline.Taken]]] = {phase: [] for phase in PHASES}
    connection = await asyncpg.connect(stack.postgres, server_settings={"search_path": "profuse"})
    with Progress(console=console, transient=True) as progress:
        task = progress.add_task("Measuring", total=rounds * len(PHASES) * 2)
        # Round 0 warms up: plans, caches, connections.
        for take in range(rounds + 1):
            for version, phase in enumerate(PHASES):
                rows = (load if take else Load(load.per_request, load.per_request)).rows(f"take{take}", version)
                bare = await floor.store(connection, rows)
                ours = await pipeline.store(stack.api, connection, load.requests(rows))
                if take:
                    taken[phase].append((bare, ours))
                    progress.advance(task, 2)
    await connection.close()
    return {phase: _figures(load.profiles, taken[phase]) for phase in PHASES}


def _figures(profiles: int, taken: list[tuple[float, pipeline.Taken]]) -> dict[str, float]:
    ratios = [bare / ours.answered for bare, ours in taken]
    return {
        "ours": round(profiles / median(ours.answered for _, ours in taken)),
        "scheduled": round(profiles / median(ours.scheduled for _, ours in taken)),
        "floor": round(profiles / median(bare for bare, _ in taken)),
        "ratio": round(median(ratios), 3),
        "lowest": round(min(ratios), 3),
        "highest": round(max(ratios), 3),
    }


def _show(figures: dict[str, dict[str, float]]) -> None:
    table = Table("profiles", "answered /s", "launches in place /s", "bare upsert /s", "ratio (lowest to highest)")
    for phase, found in figures.items():
        spread = f"{found['ratio']} ({found['lowest']} to {found['highest']})"
        table.add_row(f"all {phase}", f"{found['ours']:,}", f"{found['scheduled']:,}", f"{found['floor']:,}", spread)
    console.print(table)


if __name__ == "__main__":
    typer.run(main)
