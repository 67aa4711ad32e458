"""How a claimed group is let go: finished, or given back for another claim."""

import random
from collections.abc import Sequence
from datetime import timedelta

import asyncpg
import structlog

from runtime.together import Together
from schemas import metrics
from workers.launcher.deliver.retries import jittered, pause
from workers.launcher.deliver.work import Work
from workers.launcher.groups import launches
from workers.launcher.groups.naming import LeaseLost

log = structlog.get_logger()

_BROKER_PAUSE = timedelta(seconds=2)
# Of what goes by a pace, and would take others' room.
_CROWDED_PAUSE = timedelta(seconds=30)
# How long a destination may be held until a person is told.
_TOLD_AFTER = timedelta(hours=24)


async def finish(together: Together, works: Sequence[Work]) -> None:
    """Those that are over. Raises `LeaseLost` when none of theirs is left, and one was lost."""
    over = [work.group for work in works if work.over() and work.lease.has(work.group)]
    if not over:
        return
    ours = await together.ask_each(launches.finish, over)
    lease = works[0].lease
    lease.let_go(group for group, is_ours in zip(over, ours, strict=True) if is_ours)
    lease.lose(group for group, is_ours in zip(over, ours, strict=True) if not is_ours)


async def let_go(pool: asyncpg.Pool, together: Together, works: Sequence[Work]) -> None:
    """Finish those that are over, and give the others back. Raises `LeaseLost` as `finish` does."""
    await finish(together, works)
    lost = []
    for work in works:
        if work.lease.has(work.group):
            try:
                await _give_back(pool, work)
            except LeaseLost:
                lost.append(work.group)
            else:
                work.lease.let_go([work.group])
    works[0].lease.lose(lost)


async def _give_back(pool: asyncpg.Pool, work: Work) -> None:
    if work.silent is not None:
        # However often: it comes back for all groups at once, and what is marked is not sent again.
        await _postpone(pool, work, _BROKER_PAUSE, work.silent)
    elif work.held and not work.may_go_on():
        waited, why = work.waited(), next(each.why for each in work.held.values())
        if waited >= _TOLD_AFTER:
            log.error("destination_held_for_long", batch=work.group.batch.hex(), hours=waited // timedelta(hours=1), why=why)
        await _postpone(pool, work, jittered(pause(waited), random.random()), why, held=True)  # noqa: S311
    elif work.crowded_out:
        await _postpone(pool, work, jittered(_CROWDED_PAUSE, random.random()), "as many wait for their pace as there is room for")  # noqa: S311
    else:
        # One that was claimed too early waits for its time; one whose place has opened since goes on at once.
        await launches.put_back(pool, work.group, timedelta(seconds=max(0.0, -work.group.late)), told=not work.untold)


async def _postpone(pool: asyncpg.Pool, work: Work, rest: timedelta, why: str, *, held: bool = False) -> None:
    log.warning("group_postponed", batch=work.group.batch.hex(), seconds=rest.total_seconds(), why=why)
    metrics.POSTPONED.inc()
    await launches.put_back(pool, work.group, rest, held=held, told=not work.untold)
