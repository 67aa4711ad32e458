"""`python -m bench.scaling`: rates of the pipeline against numbers of gateways and matchers, and what a profile costs each part."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Annotated

import asyncpg
import msgspec
import typer
from rich.table import Table

from bench import cpu, pipeline, report
from bench.mails import sinking
from bench.profiles import Load
from bench.stack import Stack, running
from profuse.stack.finding import settings_of
from schemas.ids import new_id

# Gateways, matchers.
STEPS = ((1, 1), (1, 2), (1, 4), (2, 1), (2, 2), (4, 4))
_PER_SECOND = 1_000_000  # microseconds
_WRITTEN = "SELECT pg_wal_lsn_diff(pg_current_wal_insert_lsn(), '0/0')::bigint, pg_database_size(current_database())"

console = report.console()


@dataclass(frozen=True)
class Step:
    """What was found with so many gateways and matchers: rates of each round, and of each profile µs of CPU and bytes."""

    gateways: int
    matchers: int
    rates: Sequence[float]
    cpu: Mapping[str, float]
    bytes: Mapping[str, float]


def main(
    profiles: Annotated[int, typer.Option(help="New profiles of a round.")] = 40_000,
    per_request: Annotated[int, typer.Option(help="Profiles in a request.")] = 10_000,
    rounds: Annotated[int, typer.Option(help="Rounds of each step.")] = 2,
) -> None:
    """Measure each step on one stack, one after the other; the last line is JSON."""
    load = Load(profiles, per_request)
    with sinking() as mail, running(settings=mail) as stack:
        steps = [asyncio.run(_measured(stack, step, load, rounds)) for step in STEPS]
    console.print(_table(steps))
    print(msgspec.json.encode(steps).decode())


async def _measured(stack: Stack, counts: tuple[int, int], load: Load, rounds: int) -> Step:
    stack.resize("--gateways", str(counts[0]), "--matchers", str(counts[1]))
    console.print(f"Measuring {counts[0]} gateways, {counts[1]} matchers …")
    schema = settings_of(stack.directory).prefix
    async with asyncpg.create_pool(stack.postgres, server_settings={"search_path": schema}, min_size=1, max_size=2) as pool:
        # Plans, caches, connections, and who has which partition.
        await _stored(stack, pool, load.once(2))
        spent, held = cpu.spent(stack.directory), await _held(stack, pool)
        rates = [load.profiles / await _stored(stack, pool, load) for _ in range(rounds)]
        taken, grown = cpu.since(spent, stack.directory), await _held(stack, pool)
    stored = load.profiles * rounds
    return Step(
        *counts,
        rates,
        {room: seconds * _PER_SECOND / stored for room, seconds in taken.items()},
        {what: (grown[what] - held[what]) / stored for what in grown},
    )


async def _stored(stack: Stack, pool: asyncpg.Pool, load: Load) -> float:
    """Seconds until the last answer; returns when each launch has its row, too."""
    rows = load.rows(new_id().hex(), 0)
    return (await pipeline.store(stack.api, pool, load.requests(rows))).answered


async def _held(stack: Stack, pool: asyncpg.Pool) -> dict[str, float]:
    """Bytes, by where they are."""
    log, tables = await pool.fetchrow(_WRITTEN)
    return {"write-ahead log": log, "tables": tables, "broker": _size(stack.directory / "kafka" / "data")}


def _size(directory: Path) -> int:
    """Of the records; an index is made at its full size beforehand."""
    return sum(file.stat().st_size for file in directory.glob("profuse.*/*.log"))


def _table(steps: Sequence[Step]) -> Table:
    rooms, places = sorted(steps[0].cpu), sorted(steps[0].bytes)
    table = Table(
        "gateways", "matchers", "profiles/s", *(f"{room}, µs" for room in rooms), "sum, µs", *(f"{place}, bytes" for place in places)
    )
    for step in steps:
        rates = " and ".join(f"{rate:,.0f}" for rate in step.rates)
        spent = [f"{step.cpu.get(room, 0):.0f}" for room in rooms]
        held = [f"{step.bytes[place]:,.0f}" for place in places]
        table.add_row(str(step.gateways), str(step.matchers), rates, *spent, f"{sum(step.cpu.values()):.0f}", *held)
    return table


if __name__ == "__main__":
    typer.run(main)
