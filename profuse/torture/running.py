"""The whole of a torture: stack, producers, faults, drain, verdict."""

import asyncio
import time
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from pathlib import Path
from random import Random

import asyncpg

from profuse.applying import apply
from profuse.stack import starting
from profuse.stack.finding import settings_of
from profuse.stack.supervisor import mail_in
from profuse.torture.account import FILE
from profuse.torture.faults import FAULTS
from profuse.torture.ground import COUNTS, Ground, Impossible
from profuse.torture.observing import observe
from profuse.torture.plan import Turn, plan
from profuse.torture.producers import Producer
from profuse.torture.recovery import Watch, watching
from profuse.torture.report import SEVERAL, Report
from profuse.torture.verdict import Difference, differences
from schemas.settings import Settings

Say = Callable[[str], None]

PRODUCERS = 4
_DRAINED_WITHIN = 300.0
_LOOK_EVERY = 0.5
_TELL_EVERY = 5.0
# Launches of some requests wait a minute, if the run is longer than that.
_WAITS = (0, 0, 0, 0, 0, 0, 0, 1)

_PENDING = "SELECT count(*) FROM launches WHERE finished_at IS NULL"
_LATEST = "SELECT coalesce(extract(epoch FROM max(finished_at - due_at)), 0)::float8 FROM launches"


async def torture(directory: Path, seed: int, minutes: float, say: Say, kinds: Sequence[str] = tuple(FAULTS)) -> Report:
    """Start a stack in an empty directory and torture it; it runs on afterwards."""
    report = Report(seed, minutes)
    await asyncio.to_thread(starting.detach, directory, COUNTS, Settings(port=0), say)
    settings = settings_of(directory)
    await apply(settings, FILE)
    waits = _WAITS if minutes > 1 else _WAITS[:1]
    api = Ground(directory).state.api or ""
    producers = [Producer(api, number, Random(f"{seed}/{number}"), waits) for number in range(PRODUCERS)]  # noqa: S311  # repeatable
    async with watching(settings) as watch:
        await _under_load(producers, lambda: _break(directory, plan(seed, list(kinds)), minutes, watch, producers, report), report, say)
        say("The faults are over; the backlog drains")
        began = time.monotonic()
        await Ground(directory).up(COUNTS)
        report.drained = await _drained(settings, watch, began)
    for producer in producers:
        await producer.ask_again()
    await _conclude(report, producers, settings, directory)
    return report


async def _under_load(producers: Sequence[Producer], work: Callable[[], Awaitable[None]], report: Report, say: Say) -> None:
    """Producers send until the work is done, and then finish what they are sending."""
    stop = asyncio.Event()
    async with asyncio.TaskGroup() as tasks:
        sending = [tasks.create_task(producer.run(stop)) for producer in producers]
        telling = tasks.create_task(_tell(producers, report, say))
        await work()
        stop.set()
        await asyncio.wait(sending)
        telling.cancel()


async def _tell(producers: Sequence[Producer], report: Report, say: Say) -> None:
    began = time.monotonic()
    while True:
        requests = [request for producer in producers for request in producer.requests]
        items = sum(len(request.items) for request in requests if request.acknowledged)
        running = f"{time.monotonic() - began:.0f} s: {len(requests):,} requests, {items:,} items acknowledged"
        say(f"{running}, {report.faults.total()} faults")
        await asyncio.sleep(_TELL_EVERY)


async def _conclude(report: Report, producers: Sequence[Producer], settings: Settings, directory: Path) -> None:
    requests = [request for producer in producers for request in producer.requests]
    observed = await observe(settings, directory, mail_in(directory))
    report.requests = len(requests)
    report.unacknowledged = sum(not request.acknowledged for request in requests)
    report.answers = sum((producer.answers for producer in producers), Counter())
    report.items = sum(len(batch.launches) for batch in observed.batches.values())
    report.mails = len(observed.mails)
    report.repeats = observed.mails.total() - report.mails
    report.latest = await _value(settings, _LATEST)
    surprises = [surprise for producer in producers for surprise in producer.surprises]
    report.differences = [Difference("wrong", 1, surprise) for surprise in surprises] + differences(requests, observed)


async def _break(
    directory: Path, turns: Iterator[Turn], minutes: float, watch: Watch, producers: Sequence[Producer], report: Report
) -> None:
    end = time.monotonic() + minutes * 60
    cut = 0
    for turn in turns:
        if time.monotonic() > end:
            return
        await asyncio.gather(*(_inflict(kind, Ground(directory, dice), report) for kind, dice in turn.faults.items()))
        if not turn.hurried:
            cause = turn.alone or SEVERAL
            report.recovered(cause, await watch.recovered())
            before, cut = cut, sum(producer.cut for producer in producers)
            report.cut[cause] += cut - before


async def _inflict(kind: str, ground: Ground, report: Report) -> None:
    try:
        await FAULTS[kind](ground)
    except Impossible as why:
        report.impossible[kind] = str(why)
    else:
        report.faults[kind] += 1


async def _drained(settings: Settings, watch: Watch, began: float) -> float | None:
    """Seconds until nothing is left to do; None if that took too long."""
    while time.monotonic() - began < _DRAINED_WITHIN:
        seen = await watch.look()
        if seen is not None and seen.lag() == 0 and await _value(settings, _PENDING) == 0:
            return time.monotonic() - began
        await asyncio.sleep(_LOOK_EVERY)
    return None


async def _value(settings: Settings, sql: str) -> float:
    connection = await asyncpg.connect(settings.postgres, server_settings={"search_path": settings.prefix})
    try:
        return float(await connection.fetchval(sql))
    finally:
        await connection.close()
