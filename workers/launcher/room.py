"""The launcher: matches in, launches out."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

from runtime.coalescing import Coalescing
from runtime.kafka import BrokerUnavailable
from runtime.outbound.dialing import open_dialer
from runtime.outbound.posting import Poster
from runtime.postgres import open_pool
from runtime.producer import Publish, open_publisher
from runtime.racing import within_grace
from runtime.together import Together
from schemas.channels import CHANNELS
from schemas.settings import Settings
from schemas.topics import Outgoing
from workers.exactly_once import Stream, Stuck
from workers.launcher import events
from workers.launcher.channels.channel import Channel
from workers.launcher.channels.email.connections import Calling
from workers.launcher.channels.email.smtp import Smtp
from workers.launcher.channels.http.posting import Posting
from workers.launcher.channels.links import Links
from workers.launcher.claim.claim_loop import ClaimLoop
from workers.launcher.deliver.delivery import Delivery
from workers.launcher.deliver.enclosures import Enclosures
from workers.launcher.deliver.paces import Paces
from workers.launcher.deliver.provider_states import ProviderStates
from workers.launcher.deliver.sending import Sending
from workers.launcher.schedule.feeding import Feeding
from workers.launcher.schedule.scheduling import Scheduling
from workers.retention import Retention

# Seconds for a chunk that is under way when we are told to stop, as when the broker hangs: it is done again.
_GRACE = 5.0
# Groups use one only while they read or mark.
_FIRING_CONNECTIONS = 9
# Of one statement that groups ask together, so many are under way at a time.
_LANES = 2


class Launcher:
    """One loop schedules what was matched, one fires what is due, and one deletes what is over."""

    def __init__(self, feeding: Feeding, claim_loop: ClaimLoop, retention: Retention) -> None:
        self._feeding = feeding
        self._claim_loop = claim_loop
        self._retention = retention

    async def run(self, stop: asyncio.Event) -> None:
        """Raises `Stuck`, after what is being fired had its time."""
        async with asyncio.TaskGroup() as loops:
            feeding = loops.create_task(self._fed(stop))
            loops.create_task(self._claim_loop.run(stop))
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
        return self._feeding.alive() + self._claim_loop.alive()

    async def ready(self) -> list[str]:
        return await self._feeding.ready() + self._claim_loop.problems() + self._retention.problems()


@asynccontextmanager
async def open_launcher(settings: Settings) -> AsyncIterator[Launcher]:
    async with AsyncExitStack() as stack:
        # Apart, so that neither loop waits for the other's connections and confirmations.
        scheduling_pool = await stack.enter_async_context(await open_pool(settings, 2))
        firing_pool = await stack.enter_async_context(await open_pool(settings, _FIRING_CONNECTIONS))
        matched = await stack.enter_async_context(open_publisher(settings))
        fired = await stack.enter_async_context(open_publisher(settings))
        dialer = await stack.enter_async_context(open_dialer(settings))
        poster = await stack.enter_async_context(Poster(dialer))
        links = Links(settings.public_url, settings.signing_keys())
        channels: Mapping[str, Channel] = {
            "email": Smtp(settings, Calling(dialer.trust, dialer.dial), links),
            **{name: Posting(poster, settings.http_connections, links) for name, row in CHANNELS.items() if row.leaves and row.by_provider},
        }
        for channel in channels.values():
            stack.push_async_callback(channel.close)
        enclosures = Enclosures(firing_pool, settings.attachments_limit)
        publish, give_up = _beside_others(fired.publish)
        stack.push_async_callback(give_up)
        sending = Sending(channels, ProviderStates(firing_pool), Paces(firing_pool))
        together = Together(firing_pool.acquire, _LANES)
        stack.push_async_callback(together.close)
        delivery = Delivery(settings, firing_pool, together, publish, sending, enclosures)
        claim_loop = ClaimLoop(settings, firing_pool, delivery)
        scheduling = Scheduling(scheduling_pool, matched.publish, events.outgoing_of(settings), claim_loop.wake)
        feeding = Feeding(lambda: Stream(settings, "launcher", scheduling, scheduling_pool, matched))
        retention_pool = await stack.enter_async_context(await open_pool(settings, 1))
        yield Launcher(feeding, claim_loop, Retention(settings, retention_pool))


def _beside_others(publish: Publish) -> tuple[Publish, Callable[[], Awaitable[None]]]:
    """What groups say while the broker confirms what others said is published at once; and how to give that up."""

    async def publish_all(said: Sequence[Sequence[Outgoing]]) -> Sequence[None]:
        await publish([record for records in said for record in records])
        return [None] * len(said)

    coalescing = Coalescing(publish_all, (BrokerUnavailable,))

    async def publish_beside_others(records: Sequence[Outgoing]) -> None:
        if records:
            await coalescing.do(records)

    return publish_beside_others, coalescing.close
