"""Who kills whoever works on it is found by the claims that came to no mark: so those count only of what was begun, and begun alone."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from workers.launcher.deliver.away import database_may_be_away
from workers.launcher.deliver.work import Work
from workers.launcher.groups import launches

# Seconds; who lives so long is hardly killed by that group.
_ALONE = 10.0


class Suspects:
    """Groups whose next claim in vain would be the last one, and what any group's claims are counted by."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._turn = asyncio.Lock()

    @asynccontextmanager
    async def turn(self, work: Work) -> AsyncIterator[None]:
        """One suspect at a time; of those that wait for their turn this claim does not count."""
        if work.group.claims != launches.MOST_CLAIMS:
            yield
            return
        await self._wait(work)
        release = _Once(self._turn)
        timer = asyncio.get_running_loop().call_later(_ALONE, release)
        try:
            yield
        finally:
            timer.cancel()
            release()

    async def _wait(self, work: Work) -> None:
        if not self._turn.locked():
            await self._turn.acquire()
            return
        await launches.count(self._pool, work.group, work.group.claims - 1)
        await self._turn.acquire()
        try:
            await launches.count(self._pool, work.group, work.group.claims)
        except BaseException:
            self._turn.release()
            raise

    async def begins(self, work: Work) -> None:
        """Before the first launch of a page is attempted: the claim counts again, if it did not while all of them waited."""
        if work.lease.begins(work.group):
            # Inside of a launch, whose end it must not be.
            with database_may_be_away("claim_not_counted"):
                await launches.count(self._pool, work.group, work.group.claims)


class _Once:
    """Gives the turn back, whoever is first to do so."""

    def __init__(self, turn: asyncio.Lock) -> None:
        self._turn: asyncio.Lock | None = turn

    def __call__(self) -> None:
        turn, self._turn = self._turn, None
        if turn is not None:
            turn.release()
