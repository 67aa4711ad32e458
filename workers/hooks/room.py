"""The hooks' room: events in, signed POSTs out."""

import asyncio
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any

import asyncpg
import structlog

from runtime.kafka import new_consumer, stop_client
from runtime.outbound.dialing import open_dialer
from runtime.outbound.posting import Poster
from runtime.postgres import open_pool
from runtime.racing import rest, within_grace
from runtime.schema import OldTables
from runtime.subscribing import TopicMissing, subscribe
from schemas.settings import Settings
from schemas.topics import EVENTS
from workers.exactly_once.advice import advice, shown
from workers.exactly_once.probes import Probes
from workers.hooks.budget import Budget
from workers.hooks.courier import Tools
from workers.hooks.hosting import SERVER_ERRORS, Hosting
from workers.hooks.newest import Newest
from workers.hooks.reading import FETCHED, Reading
from workers.hooks.supply import Supply

log = structlog.get_logger()

_CONNECTIONS = 4
_PAUSE = 1.0
_GRACE = 1.0
_STUCK = 60.0

_RETRIED = (TopicMissing, OldTables, *SERVER_ERRORS)


class Hooks:
    """One loop reads the ends of partitions, one sees to the couriers, and each courier goes its own way."""

    def __init__(self, settings: Settings, pool: asyncpg.Pool, poster: Poster) -> None:
        self._settings = settings
        self._pool = pool
        self._poster = poster
        self._topic = settings.topic(EVENTS.name)
        self._probes = Probes(settings, pool)
        self._trouble = {"joining": "has not joined its consumer group yet"}
        self._turned = {"joining": time.monotonic()}

    def alive(self) -> list[str]:
        now = time.monotonic()
        return [f"{name} has not turned for {now - at:.0f} s" for name, at in self._turned.items() if now - at > _STUCK]

    async def ready(self) -> list[str]:
        """A hook that fails or is paused is no problem of this process."""
        return await self._probes.problems() + [f"{name}: {why}" for name, why in self._trouble.items()]

    async def run(self, stop: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as tasks:
            looking = tasks.create_task(self._probes.watch())
            consumer = new_consumer(self._settings, "hooks", FETCHED)
            try:
                await self._work(consumer, stop)
            finally:
                self._probes.consumer = None
                await stop_client(consumer)
                looking.cancel()

    async def _work(self, consumer: Any, stop: asyncio.Event) -> None:
        newest, reading = Newest(self._settings, consumer), Reading(self._settings)
        hosting = Hosting(self._tools(newest, reading), newest, reading)

        async def joining() -> None:
            await self._join(consumer, newest)
            joined.set()

        async def seeing_to() -> None:
            await hosting.turn()
            await hosting.wait()

        joined = asyncio.Event()
        await self._again_and_again("joining", joining, stop, until=joined)
        try:
            async with asyncio.TaskGroup() as loops:
                loops.create_task(newest.leave(stop))
                loops.create_task(within_grace(stop, _GRACE, self._again_and_again("reading", newest.read, stop)))
                loops.create_task(within_grace(stop, _GRACE, self._again_and_again("hosting", seeing_to, stop)))
        finally:
            await hosting.close()
            await reading.close()

    async def _again_and_again(
        self, name: str, step: Callable[[], Awaitable[None]], stop: asyncio.Event, until: asyncio.Event | None = None
    ) -> None:
        """Also after the servers were away."""
        while not stop.is_set() and not (until or stop).is_set():
            self._turned[name] = time.monotonic()
            try:
                await step()
                self._trouble.pop(name, None)
            except _RETRIED as error:
                why, todo = shown(error), advice(error)
                self._trouble[name] = f"{why}; {todo}"
                log.warning("stream_waits", topic=self._topic, why=why, todo=todo, seconds=_PAUSE)
                await rest(stop, _PAUSE)
        self._turned.pop(name, None)

    async def _join(self, consumer: Any, newest: Newest) -> None:
        # Asked to start again, a client that has started says so by an assertion.
        if self._probes.consumer is None:
            await consumer.start()
            self._probes.consumer = consumer
        await subscribe(consumer, self._topic, newest, self._pool)

    def _tools(self, newest: Newest, reading: Reading) -> Tools:
        well, failing = Budget(self._settings.hooks_bytes // 2), Budget(self._settings.hooks_bytes // 4)
        return Tools(self._settings, self._pool, self._poster, Supply(newest, reading), well, failing)


@asynccontextmanager
async def open_hooks(settings: Settings) -> AsyncIterator[Hooks]:
    async with AsyncExitStack() as stack:
        pool = await stack.enter_async_context(await open_pool(settings, _CONNECTIONS))
        dialer = await stack.enter_async_context(open_dialer(settings))
        poster = await stack.enter_async_context(Poster(dialer))
        yield Hooks(settings, pool, poster)
