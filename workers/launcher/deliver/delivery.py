"""A claimed group, page by page: read, send, and mark every second whatever has ended by then."""

import asyncio
from collections.abc import Callable, Iterable, Mapping, Sequence
from contextlib import aclosing
from dataclasses import replace

import asyncpg
import structlog

from runtime.crash_points import crash_point
from runtime.postgres import AWAY
from runtime.producer import Publish
from runtime.together import Together
from runtime.tracing import traces
from runtime.trouble import Trouble, trouble_of
from schemas.settings import Settings
from workers.launcher.clock import clock
from workers.launcher.deliver import campaigns, profiles, release
from workers.launcher.deliver.enclosures import Enclosures
from workers.launcher.deliver.gates import Held
from workers.launcher.deliver.marking import Marking
from workers.launcher.deliver.paces import limits
from workers.launcher.deliver.profiles import Stored
from workers.launcher.deliver.retries import Patience
from workers.launcher.deliver.sending import Due, Page, Sending
from workers.launcher.deliver.work import Work
from workers.launcher.groups import launches
from workers.launcher.groups.group import Group
from workers.launcher.groups.leases import Lease
from workers.launcher.groups.naming import LeaseLost
from workers.launcher.model import Campaign, Ending, Outcome

log = structlog.get_logger()

_READ_AGAIN_AFTER = 2.0
# Seconds after we are told to stop; what was sent by then may still be marked and told.
_GRACE = 5.0
_KILLER = "cannot be processed: whoever tried it died"


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

    async def work(self, group: Group, lease: Lease, waits: Callable[[int], None], stop: asyncio.Event) -> None:
        """Raises `LeaseLost` when another launcher has the group. `waits` hears how many are left when nothing comes of them."""
        work = Work(group, lease, waits, stop)
        crash_point("delivery:claimed")
        if work.kills() and len(work.left) > 1:
            log.error("group_halved", batch=group.batch.hex(), launches=len(work.left))
            await launches.halve(self._pool, group)
            return
        held = await lease.kept(self._pool, group, self._tried(work), stop, _GRACE)
        # Only now: a renewal that came after it would take the group back.
        await release.let_go(self._pool, self._together, work, held or {})

    async def _tried(self, work: Work) -> Mapping[int, Held]:
        """Gives every launch that is left its turn, once; returns those that have to wait."""
        # Left by a launcher that died; the next mark would overwrite it.
        await self._marking.tell(work)
        crash_point("delivery:outbox_published")
        if work.silent is not None:
            return {}
        campaign = await self._together.ask(campaigns.load, (work.group.batch, work.group.trigger))
        if campaign is None:
            raise LeaseLost
        if work.group.late < 0 and not campaign.cancelled and work.group.doomed is None:
            # It was brought forward to be taken back, and is not: it waits for its time.
            return {}
        if work.group.doomed is not None or work.kills():
            await self._doom(work, campaign, work.left, work.group.doomed or _KILLER)
            return {}
        held = await (self._with_files(work, campaign) if campaign.has_files else self._pages(work, campaign))
        if held and work.silent is None and (waited := work.group.waited()) >= self._patience.held:
            why = next(each.why for each in held.values())
            await self._doom(work, campaign, held, f"gave up, its destination took nothing for {waited.days} days: {why}")
            return {}
        return held

    async def _with_files(self, work: Work, campaign: Campaign) -> Mapping[int, Held]:
        async with self._enclosures.of(campaign.account, work.group.batch, work.open) as enclosed:
            return {} if enclosed is None else await self._pages(work, replace(campaign, enclosed=enclosed))

    async def _pages(self, work: Work, campaign: Campaign) -> Mapping[int, Held]:
        held: dict[int, Held] = {}
        positions = work.group.undone()
        while positions and work.open():
            campaign = await self._current(work, campaign)
            wanted = profiles.Wanted([work.group.profiles[position] for position in positions[: self._size]], campaign)
            found, own = await asyncio.gather(self._together.ask(profiles.load, wanted), self._own(work, positions[: self._size]))
            page = Page(campaign, list(limits(campaign, work.group.trigger, work.group.batch)), work.open)
            # Those of a later attempt were begun.
            page.taken_back = None if work.group.attempt else frozenset(stored.id for stored in found if stored.taken_back)
            about: dict[str, int | str] = {"batch": work.group.batch.hex(), "trigger": campaign.trigger, "launches": len(found)}
            with traces().page(work.group.traceparent, **about):
                await self._page(work, page, dict(zip(positions, found, strict=False)), own)
            held |= page.held
            campaign, positions = page.campaign, positions[len(found) :]
        return held

    async def _page(self, work: Work, page: Page, found: Mapping[int, Stored], own: Mapping[int, str]) -> None:
        before, emails = len(work.left), {stored.id: stored.email for stored in found.values()}
        due = [Due(at, work.launch(at), stored.id, stored.reader(), own.get(at)) for at, stored in found.items()]
        async with aclosing(self._sending.send(page, due, work.stop)) as outcomes:
            async for ended in outcomes:
                if not ended:
                    work.waits(len(work.left))
                crash_point("delivery:sent")
                await self._marking.settle(work, page.campaign, ended, emails, own)
                if work.left:
                    await self._look_again(work, page, list(emails))
        log.info(
            "page_sent", batch=work.group.batch.hex(), trigger=page.campaign.trigger, over=before - len(work.left), held=len(page.held)
        )

    async def _own(self, work: Work, positions: Iterable[int]) -> Mapping[int, str]:
        """What these items brought themselves, by position."""
        items = {work.group.items[position]: position for position in positions}
        own = await self._together.ask(profiles.load_custom_data, profiles.Items(work.group.batch, work.group.chunk, list(items)))
        return {items[item]: given for item, given in own.items()}

    async def _look_again(self, work: Work, page: Page, whom: Sequence[bytes]) -> None:
        """However long a page takes, it does not go on with a campaign that was switched off, or with launches that were taken back."""
        read_at = work.read_at
        page.campaign = await self._current(work, page.campaign)
        if work.read_at != read_at and page.taken_back is not None:
            page.taken_back = await campaigns.taken_back(self._pool, page.campaign, whom)

    async def _current(self, work: Work, campaign: Campaign) -> Campaign:
        """As it is by now."""
        if clock() - work.read_at <= _READ_AGAIN_AFTER:
            return campaign
        try:
            campaign = await campaigns.again(self._pool, campaign, work.group.batch, work.group.trigger)
            work.read_at = clock()
        except AWAY as error:
            if trouble_of(error) is not Trouble.WORLD:
                raise
        return campaign

    async def _doom(self, work: Work, campaign: Campaign, positions: Iterable[int], why: str) -> None:
        """End launches without trying them."""
        doomed = sorted(positions)
        log.error("launches_given_up", batch=work.group.batch.hex(), launches=len(doomed), why=why)
        emails = await profiles.emails(self._pool, [work.group.profiles[position] for position in doomed])
        own = await self._own(work, doomed)
        await self._marking.settle(work, campaign, dict.fromkeys(doomed, Outcome(Ending.FAIL, why)), emails, own)
