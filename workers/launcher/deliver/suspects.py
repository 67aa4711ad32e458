"""Who kills whoever works on it is found by claims that came to no mark: they count only while somebody works, and at last on it alone."""

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
    """Groups whose next claim in vain would be the last one go one at a time."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._lock = asyncio.Lock()
        self._turns: dict[Work, asyncio.TimerHandle] = {}

    @asynccontextmanager
    async def turn(self, work: Work) -> AsyncIterator[None]:
        """Of those that wait for their turn the claim does not count."""
        if not work.is_suspect():
            yield
            return
        try:
            await self._take_turn(work)
            yield
        finally:
            self._give_turn(work)

    async def waits(self, work: Work) -> None:
        """All of it was read, and what comes next may take long, and kills nobody."""
        if work.is_suspect() and work.lease.is_idle(work.group):
            await self._uncount(work)
            self._give_turn(work)

    async def begins(self, work: Work) -> None:
        """Before its first launch is attempted: the claim counts again, if it did not while all of them waited."""
        async with work.beginning:
            if work.lease.is_uncounted(work.group):
                # Inside of a launch, whose end it must not be.
                with database_may_be_away("claim_not_counted"):
                    await self._begin(work)
            work.lease.begins(work.group)

    async def _begin(self, work: Work) -> None:
        if work.is_suspect():
            await self._take_turn(work)
        else:
            await launches.count(self._pool, work.group, work.group.claims)

    async def _take_turn(self, work: Work) -> None:
        if self._lock.locked() and not work.lease.is_uncounted(work.group):
            await self._uncount(work)
        await self._lock.acquire()
        # From now on: it is given back also where the count fails.
        self._turns[work] = asyncio.get_running_loop().call_later(_ALONE, self._give_turn, work)
        await launches.count(self._pool, work.group, work.group.claims)
        work.lease.counted(work.group)

    def _give_turn(self, work: Work) -> None:
        if (timer := self._turns.pop(work, None)) is not None:
            timer.cancel()
            self._lock.release()

    async def _uncount(self, work: Work) -> None:
        await launches.count(self._pool, work.group, work.group.claims - 1)
        work.lease.uncounted([work.group])
