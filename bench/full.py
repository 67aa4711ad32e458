"""`make bench-full`: what needs tens of gigabytes and an hour, with rows that SQL fills in; the last line is JSON."""

import asyncio
import os
import tempfile
from pathlib import Path
from random import Random
from statistics import median
from typing import Annotated

import typer

from bench import filling, floor, launches, pipeline, plots, report
from bench.entry import opened
from bench.lines import Line, measure
from bench.peers import debezium
from bench.peers.feeding import fed
from bench.profiles import Load, Row
from bench.records import with_schema
from bench.run import Found, Measured, Run
from bench.stack import Stack, running
from bench.targets import alone, ratio

_LOAD = Load(50_000, 10_000)
# Seconds, of a line, and of a peer that has started.
_PATIENCE = 7_200.0
_ENOUGH = 600.0
_FEW = 10_000
_FEW_PENDING = 100_000
_FIRED = 3_000
_A_SECOND = 50
_SECONDS = 60

console = report.console()


def main(
    profiles: Annotated[int, typer.Option(help="Profiles that are stored.")] = 10_000_000,
    pending: Annotated[int, typer.Option(help="Launches in groups of one that wait.")] = 10_000_000,
    rounds: Annotated[int, typer.Option(help="Rounds; the median counts.")] = 3,
    pictures: Annotated[Path | None, typer.Option(help="A directory for plots.", show_default=False)] = None,
) -> None:
    """Measure with few rows and with many, on one stack."""
    console.print("Starting a stack for this run …")
    with running("--matchers", str(os.cpu_count())) as stack:
        found = asyncio.run(_measured(stack, rounds, profiles, pending))
    for table in report.tables(found):
        console.print(table)
    if pictures is not None:
        plots.draw(found, pictures)
    print(report.as_json(found))


async def _measured(stack: Stack, rounds: int, profiles: int, pending: int) -> Found:
    lines = (
        Line(["debezium"], _debezium),
        Line(["stored"], lambda run: _stored(run, profiles)),
        Line(["pending", "lateness"], lambda run: _pending(run, pending)),
    )
    async with opened(stack, _LOAD, rounds, 1) as run:
        return await measure(run, lines, lambda line: console.print(f"Measuring {line} …"), _PATIENCE)


async def _debezium(run: Run) -> Measured:
    """In turns, all profiles new."""
    rounds = []
    with tempfile.TemporaryDirectory() as directory:
        async with asyncio.timeout(_ENOUGH), fed(run, debezium.peer(run, Path(directory))) as sink:
            # Round 0 warms up.
            for take in range(run.rounds + 1):
                rows = run.load.rows(f"debezium{take}", 0)
                rates = (
                    len(rows) / (await pipeline.store(run.stack.api, run.pool, run.load.requests(rows))).answered,
                    len(rows) / await sink.seconds(with_schema(rows)),
                )
                if take:
                    rounds.append(rates)
    return Measured({"debezium": {"rate": ratio(*map(median, zip(*rounds, strict=True)))}})


async def _stored(run: Run, many: int) -> Measured:
    """Beside a bare upsert each time: hours may lie between the two."""
    rates = []
    for stored, filled in ((_FEW, 0), (many, _FEW)):
        console.print(f"{stored:,} profiles …")
        await filling.profiles(run.pool, filled, stored)
        await run.pool.execute("VACUUM ANALYZE")
        rates.append(median([await _rate(run, stored, f"{stored}-{take}") for take in range(run.rounds)]))
    few, most = rates
    return Measured({"stored": {"rate": ratio(most, few)}})


async def _rate(run: Run, stored: int, take: str) -> float:
    """Of a bare upsert of as many: half of the profiles are new, half are any of those that are stored."""
    new = run.load.rows(take, 0)
    async with run.pool.acquire() as connection:
        bare = await floor.store(connection, new)
    known = Random(take).sample(range(stored), min(stored, len(new) // 2))  # noqa: S311  # the same ones in each run
    rows: list[Row] = [*new[len(known) :], *((f"{number}@bench.test", take, take, take, take) for number in known)]
    Random(take).shuffle(rows)  # noqa: S311
    return bare / (await pipeline.store(run.stack.api, run.pool, run.load.requests(rows))).answered


async def _pending(run: Run, many: int) -> Measured:
    due = await launches.skipping(run)
    rates: list[float] = []
    for waiting, filled in ((_FEW_PENDING, 0), (many, _FEW_PENDING)):
        console.print(f"{waiting:,} pending …")
        await filling.groups(run.pool, filling.WAITING, filled, waiting - filled, 1, launches.SKIPPED, waiting)
        await run.pool.execute("VACUUM ANALYZE")
        rates.append(median([await due.rate(_FIRED, 1) for _ in range(run.rounds)]))
    late = sorted(await due.lateness(_A_SECOND * _SECONDS, _A_SECOND, run.settings.lease))
    few, most = rates
    figures = {"pending": {"rate": ratio(most, few)}, "lateness": {"p99": alone(late[int(len(late) * 0.99)])}}
    return Measured(figures, latencies={plots.LATE: late})


if __name__ == "__main__":
    typer.run(main)
