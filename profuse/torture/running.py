"""The whole of a torture: stack, producers, neighbours, faults, drain, verdict."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence
from contextlib import asynccontextmanager
from itertools import count
from pathlib import Path
from random import Random

import asyncpg

from profuse.applying import apply
from profuse.stack import starting
from profuse.stack.finding import settings_of
from profuse.torture.account import ACCOUNT, FILE
from profuse.torture.aside import keep_aside, replay_refused, take_all
from profuse.torture.breaking import Breaking
from profuse.torture.concluding import Run, conclude
from profuse.torture.faults import FAULTS
from profuse.torture.ground import COUNTS, Ground
from profuse.torture.machine import slowness
from profuse.torture.neighbours.accounts import POLITE_FILE, hostile
from profuse.torture.neighbours.apart import neighbour
from profuse.torture.plan import plan
from profuse.torture.population import Population
from profuse.torture.producers import Producer
from profuse.torture.recovery import Watch, watching
from profuse.torture.report import Report
from runtime.errors import CannotRun
from schemas.settings import Settings

Say = Callable[[str], None]

PRODUCERS = 4
_DRAINED_WITHIN = 300.0
_LOOK_EVERY = 0.5
_TELL_EVERY = 5.0
_CHANGE_EVERY = 10.0
# Launches of some requests wait a minute, if the run is longer than that.
_WAITS = (0, 0, 0, 0, 0, 0, 0, 1)

_PENDING = "SELECT count(*) FROM launches l JOIN batches b ON b.id = l.batch WHERE b.account = $1 AND l.finished_at IS NULL"


async def torture(directory: Path, seed: int, minutes: float, say: Say, kinds: Sequence[str] = tuple(FAULTS)) -> Report:
    """Start a stack in an empty directory and torture it; it runs on afterwards."""
    report = Report(seed, minutes)
    await asyncio.to_thread(starting.detach, directory, COUNTS, Settings(port=0), say)
    settings = settings_of(directory)
    for file in (FILE, hostile(0), POLITE_FILE):
        await apply(settings, file)
    report.slowness = await slowness(settings)
    await keep_aside(settings)
    api = Ground(directory).state.api or ""
    waits, population = _WAITS if minutes > 1 else _WAITS[:1], Population()
    dice = [Random(f"{seed}/{number}") for number in range(PRODUCERS)]  # noqa: S311  # repeatable
    producers = [Producer(api, number, dice[number], waits, population) for number in range(PRODUCERS)]
    at_work = asyncio.Event()
    async with (
        watching(settings) as watch,
        neighbour("hostile", api, str(seed)) as ugly,
        neighbour("polite", api, str(seed)) as polite,
    ):
        breaking = Breaking(directory, watch, at_work, lambda: sum(producer.cut for producer in producers), report)
        async with _repeatedly(_CHANGE_EVERY, lambda turn: _change(settings, turn)):
            await _under_load(producers, at_work, lambda: breaking.run(plan(seed, list(kinds)), minutes), report, say)
        say("The faults are over; the backlog drains")
        began = time.monotonic()
        await asyncio.gather(Ground(directory).up(COUNTS), ugly.stop(), polite.stop())
        await take_all(settings)
        report.drained = await _drained(settings, watch, began)
    await conclude(report, Run(producers, breaking.chronicle, ugly.told, polite.told), settings, directory)
    return report


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


async def _drained(settings: Settings, watch: Watch, began: float) -> float | None:
    """Seconds until nothing of the account that is counted is left to do; None if that took too long."""
    while time.monotonic() - began < _DRAINED_WITHIN:
        seen = await watch.look()
        if seen is not None and seen.lag() == 0 and await _pending(settings) == 0:
            return time.monotonic() - began
        await asyncio.sleep(_LOOK_EVERY)
    return None


async def _pending(settings: Settings) -> int:
    connection = await asyncpg.connect(settings.postgres, server_settings={"search_path": settings.prefix})
    try:
        return int(await connection.fetchval(_PENDING, ACCOUNT))
    finally:
        await connection.close()
