"""The loop that claims groups when they are due."""

import asyncio
import math
from collections import defaultdict
from collections.abc import Iterable
from contextlib import suppress
from datetime import timedelta
from itertools import starmap

import asyncpg
import structlog

from runtime.advice import todo
from runtime.postgres import POSTGRES_ERRORS
from runtime.racing import rest
from runtime.retrying import tell
from runtime.trouble import Trouble, trouble_of
from schemas import metrics
from schemas.ids import TriggerId
from schemas.settings import Settings
from workers.launcher.claim import claims
from workers.launcher.claim.ahead import Ahead, name_of
from workers.launcher.claim.bundles import Bundle, bundles
from workers.launcher.claim.holding import Holding, Spread
from workers.launcher.claim.lane import Lane
from workers.launcher.claim.turns import Turns
from workers.launcher.clock import clock
from workers.launcher.deliver.delivery import Delivery
from workers.launcher.groups import launches
from workers.launcher.groups.group import Group
from workers.launcher.groups.leases import Lease
from workers.launcher.groups.naming import LeaseLost

log = structlog.get_logger()

# Claims wait at most as long as Postgres is given for an answer.
STUCK = 90.0
# Seconds; between two looks at all accounts those are asked that had something due, or soon will.
LOOK_EVERY = 1.0
_AHEAD = timedelta(seconds=2)
_PAUSE = timedelta(seconds=5)
_TRY_AGAIN_AFTER = 1.0


class ClaimLoop:
    """Works on at most `claim_groups` groups at once; a slow one never holds the others up."""

    def __init__(self, settings: Settings, pool: asyncpg.Pool, delivery: Delivery) -> None:
        self._settings = settings
        self._pool = pool
        self._delivery = delivery
        self._woken = asyncio.Event()
        self._turns = Turns(settings.claim_groups, settings.page)
        self._ahead = Ahead(settings.page)
        self._trouble = ""
        self._turned = clock()
        self._looked = -math.inf

    def wake(self, lanes: Iterable[tuple[int, TriggerId]] = ()) -> None:
        """Claim now: something of these accounts and triggers is due, or a slot is free again."""
        self._turns.heard(starmap(Lane, lanes), clock())
        self._woken.set()

    def alive(self) -> list[str]:
        still = clock() - self._turned
        return [f"the claim loop has not turned for {still:.0f} s"] if still > STUCK else []

    def problems(self) -> list[str]:
        """What keeps groups from being claimed; a mail server that is away does not, because another launcher would fare no better."""
        return ([self._trouble] if self._trouble else []) + self._delivery.problems()

    async def run(self, stop: asyncio.Event) -> None:
        """Claim until `stop` is set; then launches under way are finished or cut off, and leases given back."""
        async with asyncio.TaskGroup() as groups:
            while not stop.is_set():
                self._turned = clock()
                # Before the claim: whoever wakes us during it is heard after it.
                self._woken.clear()
                if not await self._turn(groups, stop):
                    await self._pause(stop)

    async def _turn(self, groups: asyncio.TaskGroup, stop: asyncio.Event) -> bool:
        """Whether there may be more that is due."""
        try:
            if clock() - self._looked >= LOOK_EVERY:
                await self._look()
            more = await self._claim(groups, stop)
        except POSTGRES_ERRORS as error:
            if not self._trouble:
                tell("claims_wait", error)
            self._trouble = f"launches cannot be claimed: {type(error).__name__}"
            return False
        self._trouble = ""
        return more

    async def _look(self) -> None:
        looked = clock()
        due = await claims.look(self._pool, _AHEAD, self._ahead.enough())
        # By the moment of the answer, or we would ask by the length of the way too soon, and in vain.
        told = clock()
        metrics.OVERDUE.set(max(0.0, -min(due.values(), default=0.0)))
        self._turns.seen({lane: told + max(in_seconds, 0.0) for lane, in_seconds in due.items()}, looked)
        self._looked = looked
        self._delivery.forget()

    async def _claim(self, groups: asyncio.TaskGroup, stop: asyncio.Event) -> bool:
        # Before the claim is sent, so that the lease never ends later here than in the database.
        asked_at = clock()
        if not (asked := self._turns.asked(asked_at)):
            return False
        sizes: defaultdict[Lane, list[int]] = defaultdict(list)
        page = self._settings.page
        for bundle in bundles(await claims.claim(self._pool, self._settings.lease, asked, page, self._ahead.enough()), page):
            lane, left = Lane(bundle[0].account, bundle[0].trigger), [_in_hand(group, page) for group in bundle]
            sizes[lane] += left
            # A group of which nothing is left takes room, too.
            holding = self._hold(bundle[0], lane, sum(max(1, each) for each in left))
            groups.create_task(self._work(bundle, Lease(self._settings.lease, asked_at, bundle), holding, stop))
        # None of them has begun yet.
        self._turns.took(sizes)
        return any(len(sizes[lane]) == may.groups or sum(sizes[lane]) >= may.launches for lane, may in asked.items())

    def _hold(self, first: Group, lane: Lane, launches: int) -> Holding:
        # It is alone.
        if (name := name_of(first)) is None:
            return Holding(self._turns, lane, launches, self.wake)

        def tell(before: int, now: int) -> None:
            if self._ahead.changed(name, before, now):
                # More of it was left out when we looked.
                self.wake([lane])

        tell(0, launches)
        return Holding(self._turns, lane, launches, self.wake, Spread(first.page(self._settings.page), tell))

    async def _work(self, bundle: Bundle, lease: Lease, holding: Holding, stop: asyncio.Event) -> None:
        for group in bundle:
            if group.says_lateness():
                metrics.LATENESS.observe(group.late)
        try:
            await self._delivery.work(bundle, lease, holding.looked, stop)
        except LeaseLost:
            # Whoever has them now goes on; nothing of ours was written.
            pass
        except Exception as error:  # the boundary of a group
            for group in filter(lease.has, bundle):
                await self._interrupted(group, error, stop, alone=len(bundle) == 1)
        finally:
            metrics.LEASES_LOST.inc(lease.lost)
            holding.leave()

    async def _interrupted(self, group: Group, error: Exception, stop: asyncio.Event, *, alone: bool) -> None:
        """What is everybody's trouble is waited for; what is a group's own counts: of several each goes alone, one by itself is halved."""
        everybodys = trouble_of(error) is not Trouble.DATA
        if everybodys:
            log.warning("group_interrupted", batch=group.batch.hex(), why=repr(error), **todo(error))
        else:
            # No text of the error's: it may quote what somebody sent.
            log.error("group_failed", batch=group.batch.hex(), claims=group.claims, why=type(error).__name__)
        give_up = launches.put_back if everybodys else launches.put_off
        pause = _PAUSE if everybodys or alone else timedelta(0)
        # Else the lease would run out, and the claim count as one that killed its launcher.
        with suppress(LeaseLost):
            while True:
                try:
                    return await give_up(self._pool, group, pause)
                except POSTGRES_ERRORS:
                    if stop.is_set():
                        return None
                    await rest(stop, _TRY_AGAIN_AFTER)

    async def _pause(self, stop: asyncio.Event) -> None:
        waits = [asyncio.ensure_future(event.wait()) for event in (self._woken, stop)]
        await asyncio.wait(waits, timeout=self._rest(), return_when=asyncio.FIRST_COMPLETED)
        for wait in waits:
            wait.cancel()

    def _rest(self) -> float:
        """Seconds until something falls due, or is looked for; a lane that was due may have more, or what others held."""
        now, again = clock(), self._settings.claim_every.total_seconds()
        moments = (self._looked + LOOK_EVERY, *self._turns.due())
        return min(moment - now if moment > now else again for moment in moments)


def _in_hand(group: Group, page: int) -> int:
    """Launches that are left of it; of what is spread no more than are read at a time."""
    left = len(group.undone())
    return min(left, group.page(page)) if group.is_spread else left
