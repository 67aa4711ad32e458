"""The launcher: matches in, launches out."""

import asyncio
from collections.abc import AsyncIterator, Mapping
from contextlib import AsyncExitStack, asynccontextmanager

from runtime.postgres import open_pool
from runtime.producer import open_publisher
from schemas.settings import Settings
from schemas.tls import client_context
from schemas.topics import EVENTS
from workers.exactly_once import Stream, Stuck
from workers.launcher.channel import Channel
from workers.launcher.cutting import within_grace
from workers.launcher.enclosures import Enclosures
from workers.launcher.feeding import Feeding
from workers.launcher.firing import Firing
from workers.launcher.paging import Paging
from workers.launcher.publishing import Together
from workers.launcher.scheduling import Scheduling
from workers.launcher.sending import Sending
from workers.launcher.smtp import Smtp
from workers.retention import Retention

# Seconds for a chunk that is under way when we are told to stop, as when the broker hangs: it is done again.
_GRACE = 5.0
# Groups use one only while they read or mark.
_FIRING_CONNECTIONS = 9


class Launcher:
    """One loop schedules what was matched, one fires what is due, and one deletes what is over."""

    def __init__(self, feeding: Feeding, firing: Firing, retention: Retention) -> None:
        self._feeding = feeding
        self._firing = firing
        self._retention = retention

    async def run(self, stop: asyncio.Event) -> None:
        """Raises `Stuck`, after what is being fired had its time."""
        async with asyncio.TaskGroup() as loops:
            feeding = loops.create_task(self._fed(stop))
            loops.create_task(self._firing.run(stop))
            loops.create_task(self._retention.run(stop))
        if (stuck := feeding.result()) is not None:
            raise stuck

    async def _fed(self, stop: asyncio.Event) -> Stuck | None:
        try:
            await within_grace(stop, _GRACE, self._feeding.run(stop))
        except Stuck as stuck:
            stop.set()
            return stuck
        return None

    def alive(self) -> list[str]:
        return self._feeding.alive() + self._firing.alive()

    async def ready(self) -> list[str]:
        return await self._feeding.ready() + self._firing.problems() + self._retention.problems()


@asynccontextmanager
async def open_launcher(settings: Settings) -> AsyncIterator[Launcher]:
    async with AsyncExitStack() as stack:
        # Apart, so that neither loop waits for the other's connections and confirmations.
        scheduling_pool = await stack.enter_async_context(await open_pool(settings, 2))
        firing_pool = await stack.enter_async_context(await open_pool(settings, _FIRING_CONNECTIONS))
        matched = await stack.enter_async_context(open_publisher(settings))
        fired = await stack.enter_async_context(open_publisher(settings))
        channels: Mapping[str, Channel] = {
            "email": Smtp(settings.smtp, settings.smtp_connections, settings.mail_domain, client_context(settings.smtp_ca))
        }
        for channel in channels.values():
            stack.push_async_callback(channel.close)
        enclosures = Enclosures(firing_pool, settings.attachments_limit)
        paging = Paging(settings, firing_pool, Together(fired.publish).publish, Sending(channels), enclosures)
        firing = Firing(settings, firing_pool, paging)
        scheduling = Scheduling(scheduling_pool, matched.publish, settings.topic(EVENTS.name), firing.wake)
        feeding = Feeding(lambda: Stream(settings, "launcher", scheduling, scheduling_pool, matched))
        retention_pool = await stack.enter_async_context(await open_pool(settings, 1))
        yield Launcher(feeding, firing, Retention(settings, retention_pool))
