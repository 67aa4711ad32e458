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
from workers.launcher.clock import clock
from workers.launcher.deliver import campaigns, profiles, release
from workers.launcher.deliver.away import database_may_be_away
from workers.launcher.deliver.enclosures import Enclosures
from workers.launcher.deliver.marking import Marking
from workers.launcher.deliver.newest import Newest
from workers.launcher.deliver.page import Page
from workers.launcher.deliver.profiles import Items, Stored, Wanted
from workers.launcher.deliver.retries import Patience
from workers.launcher.deliver.sending import Sending
from workers.launcher.deliver.telling import Settled
from workers.launcher.deliver.work import Work
from workers.launcher.groups import launches
from workers.launcher.groups.group import Group
from workers.launcher.groups.leases import Lease
from workers.launcher.groups.naming import LeaseLost
from workers.launcher.model import Campaign, Due, Ending, Outcome

log = structlog.get_logger()

# What is changed is in force within two seconds, and there is a look in each.
_READ_AGAIN_AFTER = 0.9
# Seconds after we are told to stop; what was sent by then may still be marked and told.
_GRACE = 5.0
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
        self._size = settings.page
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
        if not await lease.during(self._pool, self._tried(works, looked), stop, _GRACE):
            for work in works:
                work.held.clear()
        # Only now: a renewal that came after it would take a group back.
        await release.let_go(self._pool, self._together, works)
        if lease.lost:
            raise LeaseLost

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
        while works := [work for work in works if work.ahead and work.open()]:
            await self._refresh(works)
            read = [(work, page) for work, page in zip(works, await self._read(works), strict=True) if page.due]
            if not read:
                # Others' profiles were so large that there was no room for ours: who asks again stands before them.
                continue
            going, pages = [work for work, _ in read], [page for _, page in read]
            group, launches = going[0].group, sum(len(page.due) for page in pages)
            # One that is traced is alone.
            with traces().page(group.traceparent, batch=group.batch.hex(), trigger=pages[0].campaign.trigger, launches=launches):
                await self._fire(going, pages, tell)
            for work, page in read:
                work.held |= page.held
                del work.ahead[: len(page.due)]

    async def _read(self, works: Sequence[Work]) -> list[Page]:
        """The next page of each, of some perhaps of none."""
        asked = [(work, work.ahead[: work.group.page(self._size)]) for work in works]
        wanted = [Wanted([work.group.profiles[at] for at in positions], work.campaign) for work, positions in asked]
        read_at = clock()
        found, own = await asyncio.gather(self._together.ask_each(profiles.load, wanted), self._own(asked))
        # They go together, and so those of one page are read again beside those of the others.
        newest = Newest(partial(self._again, wanted[0].campaign), [stored.id for each in found for stored in each], read_at)
        return [_page(*each, stored, brought, newest) for each, stored, brought in zip(asked, found, own, strict=True)]

    async def _again(self, campaign: Campaign, whose: Sequence[bytes]) -> Sequence[Stored]:
        return await self._together.ask(profiles.load, Wanted(whose, campaign))

    async def _fire(self, works: Sequence[Work], pages: Sequence[Page], tell: Callable[[bool], None]) -> None:
        before = _left(works)
        async with aclosing(self._sending.send(pages, works[0].stop)) as looks:
            async for under_way in looks:
                taken = [Settled(work, page.campaign, page.known, page.take()) for work, page in zip(works, pages, strict=True)]
                settled = [each for each in taken if each.endings]
                # Of what goes by a pace also where a page is over before it is looked at: the next one waits, too.
                if under_way or not settled or pages[0].limits:
                    tell(bool(settled))
                crash_point("delivery:sent")
                await self._marking.settle(settled)
                # Done again after the next look, or when all are let go; to leave now would cut off what is under way.
                with database_may_be_away("look_waits"):
                    await release.finish(self._together, works)
                    await self._look_again(works, pages)
        left, held = _left(works), sum(len(page.held) for page in pages)
        log.info("page_sent", **_about(works), trigger=pages[0].campaign.trigger, over=before - left, held=held)

    async def _own(self, asked: Sequence[tuple[Work, Iterable[int]]]) -> list[dict[int, str]]:
        """What the items at these positions of each brought themselves, by position."""
        places = [{work.group.items[at]: at for at in positions} for work, positions in asked]
        items = [Items(work.group.batch, work.group.chunk, list(each)) for (work, _), each in zip(asked, places, strict=True)]
        found = await self._together.ask_each(profiles.load_custom_data, items)
        return [{at[item]: given for item, given in own.items()} for at, own in zip(places, found, strict=True)]

    async def _look_again(self, works: Sequence[Work], pages: Sequence[Page]) -> None:
        """However long a page takes, it does not go on with a campaign as it was, or with launches that were taken back."""
        read = await self._refresh([work for work in works if work.left])
        again = [(work, page) for work, page in zip(works, pages, strict=True) if work in read]
        for work, page in again:
            page.campaign, page.limits = work.campaign, work.limits()
        asked = [page for _, page in again if page.taken_back is not None]
        wanted = [Wanted([each.whom for each in page.due], page.campaign) for page in asked]
        for page, whom in zip(asked, await self._together.ask_each(profiles.taken_back, wanted), strict=True):
            page.taken_back = whom

    async def _refresh(self, works: Sequence[Work]) -> frozenset[Work]:
        """Those whose campaigns were read again, because they were as of a while ago."""
        old = [work for work in works if clock() - work.read_at > _READ_AGAIN_AFTER]
        with database_may_be_away("campaigns_wait"):
            found = await self._together.ask_each(campaigns.load, [work.named for work in old])
            for work, campaign in zip(old, found, strict=True):
                work.read_at = clock()
                if campaign is not None:
                    work.campaign = replace(campaign, enclosed=work.campaign.enclosed)
            return frozenset(old)
        return frozenset()

    async def _doom(self, work: Work, positions: Iterable[int], why: str) -> None:
        """End launches without trying them."""
        group, doomed = work.group, sorted(positions)
        log.error("launches_given_up", batch=group.batch.hex(), launches=len(doomed), why=why)
        emails = await profiles.emails(self._pool, [group.profiles[at] for at in doomed])
        (own,) = await self._own([(work, doomed)])
        due = {at: Due(at, work.launch(at), group.profiles[at], None, own.get(at), emails.get(group.profiles[at])) for at in doomed}
        await self._marking.settle([Settled(work, work.campaign, due, dict.fromkeys(doomed, Outcome(Ending.FAIL, why)))])


def _page(work: Work, positions: Sequence[int], found: Sequence[Stored], own: Mapping[int, str], newest: Newest) -> Page:
    """Of those that were found, perhaps not all that were asked for."""
    due = [
        Due(at, work.launch(at), stored.id, stored.reader(), own.get(at), stored.email)
        for at, stored in zip(positions, found, strict=False)
    ]
    page = Page(due, work.campaign, work.limits(), work.open, work.group.doubted, newest=newest)
    # Those of a later attempt were begun.
    page.taken_back = None if work.group.attempt else frozenset(stored.id for stored in found if stored.taken_back)
    return page


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
