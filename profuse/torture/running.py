"""The whole of a torture: stack, producers, neighbours, faults, drain, verdict."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from random import Random

from profuse.applying import apply
from profuse.stack import starting
from profuse.stack.finding import settings_of
from profuse.torture.account import FILE
from profuse.torture.aside import keep_aside, replay_refused, take_all
from profuse.torture.breaking import Breaking
from profuse.torture.concluding import RECEIVED, Run, conclude
from profuse.torture.draining import all_told, drained
from profuse.torture.faults import FAULTS
from profuse.torture.ground import COUNTS, Ground
from profuse.torture.machine import slowness
from profuse.torture.neighbours.accounts import POLITE_FILE, hostile
from profuse.torture.neighbours.apart import neighbour
from profuse.torture.plan import plan
from profuse.torture.population import Population
from profuse.torture.producers import Producer
from profuse.torture.receiving import outlets
from profuse.torture.receiving.apart import receiving
from profuse.torture.recovery import watching
from profuse.torture.report import Report
from runtime.errors import CannotRun
from schemas.settings import Settings

Say = Callable[[str], None]

PRODUCERS = 4
_TELL_EVERY = 5.0
_CHANGE_EVERY = 10.0
# Launches of some requests wait a minute, if the run is longer than that.
_WAITS = (0, 0, 0, 0, 0, 0, 0, 1)


async def torture(directory: Path, seed: int, minutes: float, say: Say, kinds: Sequence[str] = tuple(FAULTS)) -> Report:
    """Start a stack in an empty directory and torture it; it runs on afterwards."""
    report = Report(seed, minutes)
    await asyncio.to_thread(starting.detach, directory, COUNTS, Settings(port=0), say)
    settings = settings_of(directory)
    async with receiving(directory / RECEIVED, str(seed)) as receiver:
        for file in (FILE, hostile(0), POLITE_FILE, outlets.file(receiver.url)):
            await apply(settings, file)
        report.slowness = await slowness(settings)
        await keep_aside(settings)
        run = await _broken(Ground(directory, signals=report.signals, receiver=receiver), settings, report, kinds, say)
        await receiver.stop()
    await conclude(report, run, settings, directory)
    return report


async def _broken(ground: Ground, settings: Settings, report: Report, kinds: Sequence[str], say: Say) -> Run:
    """Until the faults are over, and all that was asked for is done and told."""
    api, seed, minutes = ground.state.api or "", report.seed, report.minutes
    waits, population = _WAITS if minutes > 1 else _WAITS[:1], Population()
    dice = [Random(f"{seed}/{number}") for number in range(PRODUCERS)]  # noqa: S311  # repeatable
    producers = [Producer(api, number, dice[number], waits, population) for number in range(PRODUCERS)]
    at_work = asyncio.Event()
    async with (
        watching(settings) as watch,
        neighbour("hostile", api, str(seed)) as ugly,
        neighbour("polite", api, str(seed)) as polite,
    ):
        breaking = Breaking(ground, watch, at_work, lambda: sum(producer.cut for producer in producers), report)
        async with _repeatedly(_CHANGE_EVERY, lambda turn: _change(settings, turn)):
            await _under_load(producers, at_work, lambda: breaking.run(plan(seed, list(kinds)), minutes), report, say)
        say("The faults are over; the backlog drains")
        began = time.monotonic()
        await asyncio.gather(ground.up(COUNTS), ugly.stop(), polite.stop())
        await take_all(settings)
        report.drained = await drained(settings, watch, began)
        await all_told(settings, ground)
    return Run(producers, breaking.chronicle, ugly.told, polite.told)


async def _under_load(
    producers: Sequence[Producer], at_work: asyncio.Event, work: Callable[[], Awaitable[None]], report: Report, say: Say
) -> None:
    """Producers send until the work is done, and then finish what they are sending."""
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        sending = [tasks.create_task(producer.run(at_work, stop)) for producer in producers]
        telling = tasks.create_task(_tell(producers, report, say))
        await work()
        stop.set()
        await asyncio.wait(sending)
        telling.cancel()


async def _tell(producers: Sequence[Producer], report: Report, say: Say) -> None:
    began = time.monotonic()
    while True:
        requests = [request for producer in producers for request in producer.requests]
        items = sum(len(request.items) for request in requests if request.is_acknowledged)
        running = f"{time.monotonic() - began:.0f} s: {len(requests):,} requests, {items:,} items acknowledged"
        say(f"{running}, {report.faults.total()} faults")
        await asyncio.sleep(_TELL_EVERY)


@asynccontextmanager
async def _repeatedly(seconds: float, work: Callable[[int], Awaitable[None]]) -> AsyncIterator[None]:
    async def run() -> None:
        for turn in count(1):
            await asyncio.sleep(seconds)
            await work(turn)

    running = asyncio.create_task(run())
    try:
        yield
    finally:
        running.cancel()
        await asyncio.wait([running])
        if not running.cancelled():
            running.result()


async def _change(settings: Settings, turn: int) -> None:
    """The hostile account's declaration changes, and what the database refused is replayed."""
    try:
        await apply(settings, hostile(turn))
        await replay_refused(settings)
    except CannotRun:
        # A server is away: next time.
        return
