"""The loop that claims groups when they are due."""

import asyncio
import time

import asyncpg
import structlog

from schemas import metrics
from schemas.outages import todo
from schemas.settings import Settings
from workers.launcher import launches
from workers.launcher.groups import Group
from workers.launcher.leases import Lease
from workers.launcher.paging import Paging
from workers.postgres import AWAY

log = structlog.get_logger()

# Claims wait at most as long as Postgres is given for an answer.
STUCK = 90.0


class Firing:
    """Works on at most `claim_groups` groups at once; a slow one never holds the others up."""

    def __init__(self, settings: Settings, pool: asyncpg.Pool, paging: Paging) -> None:
        self._settings = settings
        self._pool = pool
        self._paging = paging
        self._woken = asyncio.Event()
        self._working = 0
        self._trouble = ""
        self._turned = time.monotonic()

    def wake(self) -> None:
        """Claim now: something is due, or there is room again."""
        self._woken.set()

    def alive(self) -> list[str]:
        still = time.monotonic() - self._turned
        return [f"the firing loop has not turned for {still:.0f} s"] if still > STUCK else []

    def problems(self) -> list[str]:
        """What keeps groups from being claimed; a mail server that is away does not, because another launcher would fare no better."""
        return [self._trouble] if self._trouble else []

    async def run(self, stop: asyncio.Event) -> None:
        """Claim until `stop` is set; then pages under way are finished, and leases given back."""
        async with asyncio.TaskGroup() as groups:
            while not stop.is_set():
                self._turned = time.monotonic()
                # Before the claim: whoever wakes us during it is heard after it.
                self._woken.clear()
                await self._claim(groups, stop)
                await self._pause(stop)

    async def _claim(self, groups: asyncio.TaskGroup, stop: asyncio.Event) -> None:
        room = self._settings.claim_groups - self._working
        # Before the claim is sent, so that the lease never ends later here than in the database.
        asked = time.monotonic()
        try:
            claimed = await launches.claim(self._pool, self._settings.lease, room)
        except AWAY as error:
            if not self._trouble:
                log.warning("claims_wait", why=repr(error), **todo(error))
            self._trouble = f"launches cannot be claimed: {type(error).__name__}"
            return
        self._trouble = ""
        for group in claimed:
            self._working += 1
            groups.create_task(self._work(group, Lease(self._settings.lease, asked), stop))

    async def _work(self, group: Group, lease: Lease, stop: asyncio.Event) -> None:
        if group.fence == 1:
            metrics.LATENESS.observe(group.late)
        try:
            await self._paging.work(group, lease, stop)
        except launches.LeaseLost:
            # Whoever has it now goes on; nothing of ours was written.
            metrics.LEASES_LOST.inc()
        except AWAY as error:
            # The lease runs out, and somebody claims what is not marked.
            log.warning("group_interrupted", batch=group.batch.hex(), why=repr(error), **todo(error))
        finally:
            self._working -= 1
            self.wake()

    async def _pause(self, stop: asyncio.Event) -> None:
        waits = [asyncio.ensure_future(event.wait()) for event in (self._woken, stop)]
        await asyncio.wait(waits, timeout=self._settings.claim_every.total_seconds(), return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()
