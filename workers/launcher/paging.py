"""A claimed group, page by page: read, send, and mark every second whatever has ended by then."""

import asyncio
import random
from collections.abc import Iterable, Mapping
from dataclasses import replace
from datetime import timedelta

import asyncpg
import structlog

from schemas import metrics
from schemas.crashes import crash_point
from schemas.settings import Settings
from workers.exactly_once.progress import unpack
from workers.exactly_once.trouble import Trouble, trouble_of
from workers.kafka import BrokerUnavailable
from workers.launcher import campaigns, launches, profiles
from workers.launcher.clock import clock
from workers.launcher.enclosures import Enclosures
from workers.launcher.gates import Held
from workers.launcher.groups import Group
from workers.launcher.leases import Lease
from workers.launcher.marking import Marking
from workers.launcher.patience import Patience, jittered, pause
from workers.launcher.profiles import Stored
from workers.launcher.publishing import Publish
from workers.launcher.sending import Due, Page, Sending
from workers.launcher.terms import Campaign, Ending, Outcome
from workers.launcher.work import Work
from workers.postgres import AWAY

log = structlog.get_logger()

_MARK_EVERY = 1.0
_READ_AGAIN_AFTER = 2.0
_BROKER_PAUSE = timedelta(seconds=2)
# How long a destination may be held until a person is told.
_TOLD_AFTER = timedelta(hours=24)
_KILLER = "cannot be processed: whoever tried it died"


class Paging:
    """Takes claimed groups as far as they go. No transaction is open while anything is sent or published."""

    def __init__(self, settings: Settings, pool: asyncpg.Pool, publish: Publish, sending: Sending, enclosures: Enclosures) -> None:
        self._size = settings.page
        self._patience = Patience(settings.launch_patience, settings.held_patience)
        self._pool = pool
        self._publish = publish
        self._sending = sending
        self._enclosures = enclosures
        self._marking = Marking(settings, pool, publish)

    def problems(self) -> list[str]:
        return self._sending.problems()

    async def work(self, group: Group, lease: Lease, stop: asyncio.Event) -> None:
        """Raises `LeaseLost` when another launcher has the group."""
        work = Work(group, lease, stop)
        crash_point("paging:claimed")
        try:
            # Left by a launcher that died; the next mark would overwrite it.
            await self._publish(unpack(group.outbox))
        except BrokerUnavailable as error:
            work.silent = str(error)
        else:
            crash_point("paging:outbox_published")
            await self._begin(work)
        if work.silent is not None:
            # However often: it comes back for all groups at once, and what is marked is not sent again.
            await self._postpone(work, _BROKER_PAUSE, work.silent)

    async def _begin(self, work: Work) -> None:
        group = work.group
        kills = group.claims > launches.MOST_CLAIMS
        if kills and len(work.left) > 1:
            log.error("group_halved", batch=group.batch.hex(), launches=len(work.left))
            await launches.halve(self._pool, group)
            return
        campaign = await campaigns.load(self._pool, group.batch, group.trigger)
        if campaign is None:
            raise launches.LeaseLost
        held: dict[int, Held] = {}
        if group.doomed is not None or kills:
            await self._doom(work, campaign, work.left, group.doomed or _KILLER)
        elif campaign.has_files:
            held = await self._with_files(work, campaign)
        else:
            held = await self._pages(work, campaign)
        if work.silent is None:
            await self._leave(work, campaign, held)

    async def _with_files(self, work: Work, campaign: Campaign) -> dict[int, Held]:
        async def waits() -> bool:
            await self._kept_up(work, campaign)
            return work.open()

        async with self._enclosures.of(campaign.account, work.group.batch, waits) as enclosed:
            return {} if enclosed is None else await self._pages(work, replace(campaign, enclosed=enclosed))

    async def _pages(self, work: Work, campaign: Campaign) -> dict[int, Held]:
        """Gives every launch that is left its turn, once; returns those that have to wait."""
        held: dict[int, Held] = {}
        positions = work.group.undone()
        while positions and work.open():
            campaign = await self._kept_up(work, campaign)
            found = await profiles.load(self._pool, [work.group.profiles[position] for position in positions[: self._size]])
            page = Page(campaign, work.open)
            await self._page(work, page, dict(zip(positions, found, strict=False)))
            held |= page.held
            campaign, positions = page.campaign, positions[len(found) :]
        return held

    async def _page(self, work: Work, page: Page, found: Mapping[int, Stored]) -> None:
        before, emails = len(work.left), {stored.id: stored.email for stored in found.values()}
        due = [Due(position, work.launch(position), stored.reader()) for position, stored in found.items()]
        sending = asyncio.create_task(self._sending.send(page, due))
        try:
            while not sending.done():
                await asyncio.wait({sending}, timeout=_MARK_EVERY)
                if work.over():
                    await _cut_off(sending)
                crash_point("paging:sent")
                await self._marking.settle(work, page.campaign, page.take(), emails)
                page.campaign = await self._kept_up(work, page.campaign)
        finally:
            await _cut_off(sending)
        # What ended while the last mark was written: unmarked it would be sent again.
        await self._marking.settle(work, page.campaign, page.take(), emails)
        if not sending.cancelled():
            sending.result()
        log.info(
            "page_sent", batch=work.group.batch.hex(), trigger=page.campaign.trigger, over=before - len(work.left), held=len(page.held)
        )

    async def _kept_up(self, work: Work, campaign: Campaign) -> Campaign:
        """However long it takes, a group neither loses its lease nor goes on with a campaign that was switched off."""
        try:
            await work.lease.keep(self._pool, work.group)
            if clock() - work.read_at > _READ_AGAIN_AFTER:
                campaign = await campaigns.again(self._pool, campaign, work.group.trigger)
                work.read_at = clock()
        except AWAY as error:
            # What is under way may end; nothing begins once the lease is nearly over.
            if trouble_of(error) is not Trouble.WORLD:
                raise
        return campaign

    async def _doom(self, work: Work, campaign: Campaign, positions: Iterable[int], why: str) -> None:
        """End launches without trying them."""
        doomed = sorted(positions)
        log.error("launches_given_up", batch=work.group.batch.hex(), launches=len(doomed), why=why)
        emails = await profiles.emails(self._pool, [work.group.profiles[position] for position in doomed])
        await self._marking.settle(work, campaign, dict.fromkeys(doomed, Outcome(Ending.FAIL, why)), emails)

    async def _leave(self, work: Work, campaign: Campaign, held: Mapping[int, Held]) -> None:
        waited = timedelta(seconds=work.group.held_for or 0)
        why = next((each.why for each in held.values()), "")
        if held and waited >= self._patience.held:
            await self._doom(work, campaign, held, f"gave up, its destination took nothing for {waited.days} days: {why}")
        if not work.left:
            await launches.finish(self._pool, work.group)
        elif held:
            if waited >= _TOLD_AFTER:
                log.error("destination_held_for_long", batch=work.group.batch.hex(), hours=waited // timedelta(hours=1), why=why)
            await self._postpone(work, jittered(pause(waited), random.random()), why, held=True)  # noqa: S311
        else:
            await launches.put_back(self._pool, work.group, timedelta(), told=True)

    async def _postpone(self, work: Work, rest: timedelta, why: str, *, held: bool = False) -> None:
        log.warning("group_postponed", batch=work.group.batch.hex(), seconds=rest.total_seconds(), why=why)
        metrics.POSTPONED.inc()
        await launches.put_back(self._pool, work.group, rest, held=held, told=work.silent is None)


async def _cut_off(sending: asyncio.Task[None]) -> None:
    sending.cancel()
    await asyncio.wait({sending})
