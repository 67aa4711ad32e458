"""`make soak`: a steady load for a long time, then Postgres away; what every process and table takes up meanwhile."""

import asyncio
import json
import os
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Annotated

import typer
from rich.console import Console

from bench.outages import frozen, stopped
from bench.pacing import Producers
from bench.sampling import Sample, sample
from bench.stack import Stack, running
from bench.steadiness import STEADY, shown
from profuse.stack.finding import settings_of
from profuse.torture.recovery import Watch, watching

console = Console()

# Requests at a time while the rate is measured.
_FLOODING = 8
_EVERY = 15.0
_EVERY_OUTAGE = 5.0
_LOOK = 0.5


@dataclass(frozen=True)
class Taken:
    """A sample, what the load had come to, and the median and the 99th percentile of small requests since the one before."""

    minute: float
    phase: str
    sample: Sample
    acknowledged: int
    answers: dict[str, int]
    median: float | None
    slowest: float | None


@dataclass
class Soak:
    """One run and what it recorded."""

    stack: Stack
    watch: Watch
    producers: Producers
    file: Path
    began: float = field(default_factory=time.monotonic)

    async def record(self, phase: str, minutes: float) -> None:
        """Take a sample now and then, for so long."""
        steady = phase == STEADY
        end = time.monotonic() + minutes * 60
        while time.monotonic() < end:
            await self._take(phase, await sample(self.stack.directory, self.watch, tables=steady))
            await asyncio.sleep(_EVERY if steady else _EVERY_OUTAGE)

    async def _take(self, phase: str, found: Sample) -> None:
        latencies, self.producers.latencies = sorted(self.producers.latencies), []
        median, slowest = (latencies[int(len(latencies) * part)] for part in (0.5, 0.99)) if latencies else (None, None)
        minute = (time.monotonic() - self.began) / 60
        taken = Taken(minute, phase, found, self.producers.acknowledged, dict(self.producers.answers), median, slowest)
        with self.file.open("a") as file:
            file.write(json.dumps(asdict(taken)) + "\n")
        console.print(f"{minute:6.1f} min, {phase}: {taken.acknowledged:,} profiles, {found.lag} behind, {taken.answers}")

    async def idle(self) -> None:
        """Return when everything that was sent is matched, and whatever was due is launched."""
        while True:
            found = await sample(self.stack.directory, self.watch)
            if found.lag == 0 and found.late == 0.0:
                return
            await asyncio.sleep(_LOOK)


def main(
    minutes: Annotated[float, typer.Option(help="How long the steady load lasts.")] = 60,
    share: Annotated[float, typer.Option(help="Of the rate that was measured first.")] = 0.7,
    kept: Annotated[int, typer.Option(help="Minutes that batches, Request-IDs and processed records are kept.")] = 10,
    population: Annotated[int, typer.Option(help="Profiles that the load knows.")] = 300_000,
    outage: Annotated[float, typer.Option(help="Minutes that Postgres is frozen, and then stopped, under the same load.")] = 2,
    profiles: Annotated[int, typer.Option(help="Profiles that the rate is measured with.")] = 300_000,
    out: Annotated[Path, typer.Option(help="Where each sample goes, one JSON object a line.")] = Path("soak.jsonl"),
) -> None:
    """Measure how fast profiles are imported and launched, then load a stack with a share of that, and watch it."""
    names = "PROFUSE_BATCH_KEPT", "PROFUSE_FAILURES_KEPT", "PROFUSE_REQUEST_ID_KEPT", "PROFUSE_RECORDS_KEPT"
    settings = dict.fromkeys(names, f"PT{kept}M")
    out.unlink(missing_ok=True)
    with running("--matchers", str(os.cpu_count()), settings=settings | {"PROFUSE_RETENTION_EVERY": "PT1M"}) as stack:
        asyncio.run(_soak(stack, minutes, share, population, outage, profiles, out))
    shown(console, out)


async def _soak(stack: Stack, minutes: float, share: float, population: int, outage: float, profiles: int, out: Path) -> None:
    async with watching(settings_of(stack.directory)) as watch:
        soak = Soak(stack, watch, Producers(stack.api, population), out)
        rate = await _measured(soak, profiles)
        console.print(f"{rate:,.0f} profiles a second were imported and launched; {share:.0%} of that from now on")
        async with _loaded(soak.producers, rate * share):
            await soak.record(STEADY, minutes)
            with frozen(stack.directory):
                await soak.record("Postgres frozen", outage)
            await soak.record("after it", outage)
            async with stopped(stack.directory):
                await soak.record("Postgres stopped", outage)
            await soak.record("after that", outage)


async def _measured(soak: Soak, profiles: int) -> float:
    began = time.monotonic()
    await soak.producers.flood(profiles, _FLOODING)
    await soak.idle()
    # Some more than were asked for: the last requests were under way.
    return soak.producers.acknowledged / (time.monotonic() - began)


@asynccontextmanager
async def _loaded(producers: Producers, rate: float) -> AsyncIterator[None]:
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(producers.pace(rate, stop))
        yield
        stop.set()


if __name__ == "__main__":
    typer.run(main)
