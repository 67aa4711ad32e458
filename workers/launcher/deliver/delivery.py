"""Claimed groups, page by page: read, send, and mark every second whatever has ended by then."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace
from functools import partial

import asyncpg
import structlog

from runtime.crash_points import crash_point
from runtime.producer import Publish
from runtime.together import Together
from runtime.tracing import traces
from schemas.settings import Settings
from workers.launcher.deliver import campaigns, profiles, release
from workers.launcher.deliver.away import database_may_be_away
from workers.launcher.deliver.enclosures import Enclosures
from workers.launcher.deliver.marking import Marking
from workers.launcher.deliver.page import Page
from workers.launcher.deliver.reading import Going, Reading
from workers.launcher.deliver.retries import Patience
from workers.launcher.deliver.sending import Look, Sending
from workers.launcher.deliver.suspects import Suspects
from workers.launcher.deliver.telling import Settled
from workers.launcher.deliver.work import Work
from workers.launcher.groups import launches
from workers.launcher.groups.group import Group
from workers.launcher.groups.leases import Lease
from workers.launcher.groups.naming import LeaseLost
from workers.launcher.model import Due, Ending, Outcome

log = structlog.get_logger()

# Seconds after we are told to stop; what was sent by then may still be marked and told.
_GRACE = 5.0
_READ_AGAIN_AFTER = 1.0
_KILLER = "cannot be processed: whoever tried it died"

Looked = Callable[[int, int, bool], bool]
"""Hears how many are left; how many of them wait for what others of their trigger wait for, too; whether any has ended but by a pace.

False: they only wait, and there is no place for that.
"""


class Delivery:
    """Takes claimed groups as far as they go. No transaction is open while anything is sent or published."""

    def __init__(
        self, settings: Settings, pool: asyncpg.Pool, together: Together, publish: Publish, sending: Sending, enclosures: Enclosures
    ) -> None:
        self._suspects = Suspects(pool)
        self._reading = Reading(together, settings.page, self._suspects.begins)
        self._patience = Patience(settings.launch_patience, settings.held_patience)
        self._pool = pool
        self._together = together
        self._sending = sending
        self._enclosures = enclosures
        self._marking = Marking(settings, pool, together, publish)

    def problems(self) -> list[str]:
        return self._sending.problems()

    def forget(self) -> None:
        """What is held of places that nobody goes to any more."""
        self._sending.forget()

    async def work(self, groups: Sequence[Group], lease: Lease, looked: Looked, stop: asyncio.Event) -> None:
        """Of one lane, as `bundles` puts them together; `looked` hears each second how far they are.

        Raises `LeaseLost` when another launcher has one of them; the others went on by then.
        """
        works = [Work(group, lease, stop) for group in groups]
        crash_point("delivery:claimed")
        for work in works:
            # It is alone.
            if work.kills() and len(work.left) > 1:
                log.error("group_halved", batch=work.group.batch.hex(), launches=len(work.left))
                await launches.halve(self._pool, work.group)
                return
        if not await lease.during(self._pool, self._in_turn(works, looked), stop, _GRACE):
            for work in works:
                work.held.clear()
        # Only now: a renewal that came after it would take a group back.
        await release.let_go(self._pool, self._together, works)
        if lease.lost:
            raise LeaseLost

    async def _in_turn(self, works: Sequence[Work], looked: Looked) -> bool:
        # A suspect is alone.
        async with self._suspects.turn(works[0]):
            return await self._tried(works, looked)

    async def _tried(self, works: Sequence[Work], looked: Looked) -> bool:
        """Gives every launch that is left its turn, once; true, because it was not cut off."""
        # Left by a launcher that died; the next mark would overwrite it.
        await self._marking.tell(works)
        crash_point("delivery:outbox_published")
        found = await self._together.ask_each(campaigns.load, [work.named for work in works])
        works[0].lease.lose(work.group for work, campaign in zip(works, found, strict=True) if campaign is None)
        going = []
        for work, campaign in zip(works, found, strict=True):
            if campaign is not None and work.silent is None:
                work.campaign = campaign
                going.append(work)
        await self._fired(going, partial(_told, going, looked))
        for work in going:
            stuck = {at: each for at, each in work.held.items() if not each.may_go()}
            if stuck and work.silent is None and (waited := work.waited()) >= self._patience.held:
                why = next(each.why for each in stuck.values())
                await self._doom(work, stuck, f"gave up, its destination took nothing for {waited.days} days: {why}")
                work.held = {at: each for at, each in work.held.items() if at not in stuck}
        return True

    async def _fired(self, works: Sequence[Work], tell: Callable[[bool], None]) -> None:
        plain = []
        for work in works:
            if work.group.late < 0 and not work.campaign.cancelled and work.group.doomed is None:
                # It was brought forward to be taken back, and is not: it waits for its time.
                continue
            if work.group.doomed is not None or work.kills():
                await self._doom(work, work.left, work.group.doomed or _KILLER)
            elif work.campaign.has_files:
                await self._with_files(work, tell)
            else:
                plain.append(work)
        await self._pages(plain, tell)

    async def _with_files(self, work: Work, tell: Callable[[bool], None]) -> None:
        def waits() -> bool:
            # It needs no slot meanwhile.
            tell(False)
            return work.open()

        async with self._enclosures.of(work.campaign.account, work.group.batch, waits) as enclosed:
            if enclosed is not None:
                work.campaign = replace(work.campaign, enclosed=enclosed)
                await self._pages([work], tell)

    async def _pages(self, works: Sequence[Work], tell: Callable[[bool], None]) -> None:
        while coming := await self._reading.next(works):
            await self._suspects.waits(works[0])
            group, trigger = coming[0].work.group, coming[0].work.campaign.trigger
            # One that is traced is alone.
            with traces().page(group.traceparent, batch=group.batch.hex(), trigger=trigger, launches=_left(works)):
                await self._fire(works, coming, tell)

    async def _fire(self, works: Sequence[Work], going: list[Going], tell: Callable[[bool], None]) -> None:
        before, taken = _left(works), asyncio.Event()

        async def more(wanted: asyncio.Event) -> Sequence[Page]:
            # However long it cannot be read, others are not kept by what is under way meanwhile.
            while any(work.ahead and work.goes_on() for work in works):
                # What is over by now is taken first: nothing is read ahead of a page that is not marked.
                taken.clear()
                wanted.set()
                await taken.wait()
                with database_may_be_away("pages_wait"):
                    if coming := await self._reading.next(works):
                        going.extend(coming)
                        return [each.page for each in coming]
                await asyncio.sleep(_READ_AGAIN_AFTER)
            return []

        async with aclosing(self._sending.send([each.page for each in going], more, works[0].stop)) as looks:
            async for look in looks:
                paced = any(each.page.limits for each in going)
                settled = _settled(going)
                going[:] = [each for each in going if each.page.known]
                taken.set()
                # Of what goes by a pace also where a page is over sooner: the next one waits, too.
                if paced or look is Look.WAITED or (look is Look.OVER and not settled):
                    tell(bool(settled))
                crash_point("delivery:sent")
                await self._marking.settle(settled)
                # Done again after the next look, or when all are let go; to leave now would cut off what is under way.
                with database_may_be_away("look_waits"):
                    await release.finish(self._together, works)
                    await self._reading.look_again(going)
        held = sum(len(work.held) for work in works)
        log.info("pages_sent", **_about(works), trigger=works[0].campaign.trigger, over=before - _left(works), held=held)

    async def _doom(self, work: Work, positions: Iterable[int], why: str) -> None:
        """End launches without trying them."""
        group, doomed = work.group, sorted(positions)
        log.error("launches_given_up", batch=group.batch.hex(), launches=len(doomed), why=why)
        emails = await profiles.emails(self._pool, [group.profiles[at] for at in doomed])
        (own,) = await self._reading.own([(work, doomed)])
        due = {at: Due(at, work.launch(at), group.profiles[at], None, own.get(at), emails.get(group.profiles[at])) for at in doomed}
        await self._marking.settle([Settled(work, work.campaign, due, dict.fromkeys(doomed, Outcome(Ending.FAIL, why)))])


def _settled(going: Iterable[Going]) -> list[Settled]:
    """What has ended of each group since the last look."""
    settled: dict[Work, Settled] = {}
    for work, page in going:
        taken = page.take()
        work.held |= taken.held
        if taken.ended:
            # A group has one outbox, and one mark at a time.
            before = settled.get(work, Settled(work, page.campaign, {}, {}))
            settled[work] = before._replace(due={**before.due, **taken.due}, endings={**before.endings, **taken.ended})
    return list(settled.values())


def _left(works: Iterable[Work]) -> int:
    return sum(len(work.left) for work in works)


def _told(works: Sequence[Work], looked: Looked, came: bool) -> None:
    """What goes by a pace only waits, however many have gone meanwhile: a slot brings none of them further."""
    # All are of one trigger, and one that is spread is alone.
    waits = bool(works[0].limits())
    may_stay = looked(_left(works), _left(work for work in works if not work.paced_alone()), came and not waits)
    if waits and not may_stay:
        for work in works:
            work.crowded_out = True


def _about(works: Sequence[Work]) -> Mapping[str, str | int]:
    return {"batch": works[0].group.batch.hex()} if len(works) == 1 else {"groups": len(works)}
