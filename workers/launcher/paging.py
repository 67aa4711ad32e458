"""A claimed group, page by page: read, send, mark, publish."""

import asyncio
from collections import Counter
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import asyncpg
import structlog
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception_type, wait_fixed

from schemas import ids, metrics
from schemas.crashes import crash_point
from schemas.outages import POSTGRES_FULL
from schemas.settings import Settings
from schemas.topics import EVENTS, Outgoing
from workers.exactly_once.progress import pack, unpack
from workers.kafka import BrokerUnavailable
from workers.launcher import campaigns, events, launches, profiles
from workers.launcher.enclosures import Enclosures
from workers.launcher.events import Imported
from workers.launcher.groups import Group
from workers.launcher.leases import Lease
from workers.launcher.publishing import Publish
from workers.launcher.sending import Due, Page, Sending
from workers.launcher.terms import Campaign, Ending, Profile

log = structlog.get_logger()

_SHORTEST_PAUSE = timedelta(seconds=5)
_LONGEST_PAUSE = timedelta(minutes=5)
_BROKER_PAUSE = timedelta(seconds=2)
_FULL_PAUSE = timedelta(seconds=1)


class Paging:
    """Takes claimed groups as far as they go. No transaction is open while anything is sent or published."""

    def __init__(self, settings: Settings, pool: asyncpg.Pool, publish: Publish, sending: Sending, enclosures: Enclosures) -> None:
        self._topic = settings.topic(EVENTS.name)
        self._size = settings.page
        self._pool = pool
        self._publish = publish
        self._sending = sending
        self._enclosures = enclosures

    async def work(self, group: Group, lease: Lease, stop: asyncio.Event) -> None:
        """Raises `LeaseLost` when another launcher has the group."""
        try:
            # Left by a launcher that died; the next mark would overwrite it.
            crash_point("paging:claimed")
            await self._publish(unpack(group.outbox))
            crash_point("paging:outbox_published")
            await self._pages(group, lease, stop)
        except BrokerUnavailable as error:
            # However often: it comes back for all groups at once, and what is marked is not sent again.
            await self._postpone(group, _BROKER_PAUSE, str(error))

    async def _pages(self, group: Group, lease: Lease, stop: asyncio.Event) -> None:
        campaign = await campaigns.load(self._pool, group.batch, group.trigger)
        if campaign is None:
            raise launches.LeaseLost
        if not campaign.has_files:
            return await self._all(group, campaign, lease, stop)
        async with self._enclosures.of(campaign.account, group.batch) as enclosed:
            return await self._all(group, replace(campaign, enclosed=enclosed), lease, stop)

    async def _all(self, group: Group, campaign: Campaign, lease: Lease, stop: asyncio.Event) -> None:
        left, deferred, page = group.undone(), False, Page()
        while left and not page.blocked() and not stop.is_set():
            await lease.keep(self._pool, group)
            page = await self._page(group, campaign, left[: self._size], lease, stop)
            deferred = deferred or bool(page.deferred)
            left = [position for position in left if position not in page.begun()]
        if deferred or page.blocked():
            await self._postpone(group, pause(group.fence, group.late), page.unavailable or next(iter(page.deferred.values()), "deferred"))
        elif left:
            await launches.put_back(self._pool, group, timedelta())
        else:
            await launches.finish(self._pool, group)

    async def _page(self, group: Group, campaign: Campaign, positions: list[int], lease: Lease, stop: asyncio.Event) -> Page:
        found = await profiles.load(self._pool, [group.profiles[position] for position in positions])
        due = [Due(position, _launch(group, position), found.get(group.profiles[position])) for position in positions]
        page = await self._sending.send(campaign, due, lease, stop)
        crash_point("paging:sent")
        if page.settled:
            told = await self._told(group, campaign, page, found)
            await self._mark(group, page, pack(told), lease, stop)
            crash_point("paging:marked")
            # Only what is marked: nobody may hear of a launch that will be repeated.
            await self._publish(told)
            crash_point("paging:published")
        log.info("page_sent", batch=group.batch.hex(), trigger=campaign.trigger, settled=len(page.settled), deferred=len(page.deferred))
        return page

    async def _mark(self, group: Group, page: Page, outbox: bytes | None, lease: Lease, stop: asyncio.Event) -> None:
        """What is sent is marked as soon as Postgres has room for it."""
        counts = Counter(outcome.ending for outcome in page.settled.values())
        settled = (counts[Ending.SEND], counts[Ending.SKIP], counts[Ending.FAIL])
        # Given up, the page would be sent again with each claim, for as long as the disk is full.
        full = retry_if_exception_type(asyncpg.DiskFullError)
        attempts = AsyncRetrying(retry=full, wait=wait_fixed(_FULL_PAUSE), stop=lambda _: stop.is_set(), before_sleep=_full, reraise=True)
        async for attempt in attempts:
            with attempt:
                await lease.keep(self._pool, group)
                await launches.mark(self._pool, group, group.bits(page.settled), settled, outbox)
        for ending, count in counts.items():
            metrics.LAUNCHES.labels(ending).inc(count)

    async def _told(self, group: Group, campaign: Campaign, page: Page, found: dict[bytes, Profile]) -> list[Outgoing]:
        items = [group.items[position] for position in page.settled]
        own = await profiles.load_custom_data(self._pool, group.batch, group.chunk, items)
        now = datetime.now(UTC)
        records: list[Outgoing] = []
        for position, outcome in page.settled.items():
            item, id_ = group.items[position], group.profiles[position]
            email = found[id_].email if id_ in found else None
            custom_data = {**campaign.custom_data, **own.get(item, {})}
            imported = Imported(campaign.account, campaign.database, group.batch, item, id_, email, custom_data)
            told = events.of_launch(imported, campaign, _launch(group, position), outcome, now)
            records += [Outgoing(self._topic, event.profile_id.encode(), event.encode()) for event in told]
        return records

    async def _postpone(self, group: Group, pause: timedelta, why: str) -> None:
        log.warning("group_postponed", batch=group.batch.hex(), seconds=pause.total_seconds(), why=why)
        metrics.POSTPONED.inc()
        await launches.put_back(self._pool, group, pause)


def _full(_: RetryCallState) -> None:
    log.warning("mark_waits", todo=POSTGRES_FULL)


def pause(claims: int, late: float) -> timedelta:
    """How long a group rests after its n-th claim came to nothing, so many seconds after it was due.

    Every claim raises the fence, so it counts them. But some came to nothing for another reason, such as a broker that was away:
    so the rest is at most half as long as the group has waited already.
    """
    return min(_SHORTEST_PAUSE * float(2 ** min(claims - 1, 10)), max(timedelta(seconds=late / 2), _SHORTEST_PAUSE), _LONGEST_PAUSE)


def _launch(group: Group, position: int) -> str:
    return ids.launch_id(group.batch, group.items[position], group.trigger)
