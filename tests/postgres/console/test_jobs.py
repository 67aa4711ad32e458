"""What is done in the background is told as it is, also while Postgres takes nothing for a while."""

import asyncio
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest
from structlog.testing import capture_logs

from profuse.console.acting import jobs as working
from profuse.console.acting.deed import Advance, Done, Means, Plan, Scope
from profuse.console.acting.jobs import Jobs
from profuse.console.acting.log import Asked
from runtime.postgres import open_pool
from schemas.settings import Settings

pytestmark = pytest.mark.promise("P-CONSOLE-11")

ASKED = Asked("olga", "cancel", "f" * 20, {}, None)
_ROW = "SELECT done, outcome, failed, ended_at IS NOT NULL AS ended FROM console_actions"


class Slow:
    """Does one thing, and ends when it is told to."""

    names = frozenset[str]()

    def __init__(self) -> None:
        self.goes_on, self.ends = asyncio.Event(), asyncio.Event()

    async def plan(self, means: Means, scope: Scope) -> Plan:
        raise NotImplementedError

    async def run(self, means: Means, scope: Scope, advance: Advance) -> Done:
        await self.goes_on.wait()
        advance(1)
        await self.ends.wait()
        return Done(2, "two are done")


@pytest.fixture
async def jobs(tables: Settings, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[Jobs]:
    monkeypatch.setattr(working, "_TOLD_EVERY", 0.05)
    async with await open_pool(tables, 2, statement_timeout="100ms") as writes:
        jobs = Jobs(Means(tables, pool), writes)
        yield jobs
        await jobs.stop()


@asynccontextmanager
async def silence(pool: asyncpg.Pool) -> AsyncIterator[None]:
    """Nothing can be written into the log meanwhile."""
    async with pool.acquire() as connection, connection.transaction():
        await connection.execute("LOCK TABLE console_actions IN ACCESS EXCLUSIVE MODE")
        yield


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():
            await asyncio.sleep(0.01)


def waits(lines: Sequence[Mapping[str, Any]]) -> int:
    return sum(line["event"] == "action_log_waits" for line in lines)


async def row(pool: asyncpg.Pool, **wanted: Any) -> Mapping[str, Any]:
    """The action's, once it is like that."""
    async with asyncio.timeout(20):
        while not (found := dict(await pool.fetchrow(_ROW))).items() >= wanted.items():
            await asyncio.sleep(0.01)
    return found


async def test_an_action_that_could_not_be_told_of_once_is_told_of_again(pool: asyncpg.Pool, jobs: Jobs) -> None:
    deed = Slow()
    await jobs.begin(deed, ASKED)
    with capture_logs() as lines:
        async with silence(pool):
            await until(lambda: waits(lines) > 0)
        deed.goes_on.set()
        told = await row(pool, done=1)
    deed.ends.set()
    await row(pool, ended=True)

    assert not told["ended"]


async def test_the_end_of_an_action_is_told_when_it_can_be(pool: asyncpg.Pool, jobs: Jobs) -> None:
    deed = Slow()
    await jobs.begin(deed, ASKED)
    with capture_logs() as lines:
        async with silence(pool):
            deed.goes_on.set()
            deed.ends.set()
            # The first may be of what tells how far it is.
            await until(lambda: waits(lines) >= 3)
        ended = await row(pool, ended=True)

    assert ended == {"done": 2, "outcome": "two are done", "failed": False, "ended": True}


async def test_a_console_that_is_told_to_stop_waits_for_no_log(pool: asyncpg.Pool, jobs: Jobs, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(working, "_GOODBYE", 0.3)
    await jobs.begin(Slow(), ASKED)
    async with silence(pool), asyncio.timeout(5):
        await jobs.stop()

    assert (await row(pool))["ended"] is False
