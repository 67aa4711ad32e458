"""Pages of groups: decide each launch, send what is to be sent, and say how each ended."""

import asyncio
from collections.abc import AsyncGenerator, Awaitable, Callable, Coroutine, Iterator, Mapping, Sequence
from contextlib import contextmanager
from enum import Enum, auto
from functools import partial
from typing import Any

from runtime.racing import T, rest
from workers.launcher.channels.channel import Channel
from workers.launcher.deliver import outcomes
from workers.launcher.deliver.boundary import Boundary
from workers.launcher.deliver.endings import Ended, Held, Suspected
from workers.launcher.deliver.gates import Gate
from workers.launcher.deliver.paces import Paces, of_provider
from workers.launcher.deliver.page import Begun, Page
from workers.launcher.deliver.provider_states import ProviderStates
from workers.launcher.deliver.shared_tasks import Hands, Line
from workers.launcher.deliver.suspicions import believed
from workers.launcher.model import Due, Ending, Launch, Outcome, Provider

More = Callable[[asyncio.Event], Awaitable[Sequence[Page]]]
"""The next pages, when all launches of those before are taken; none: these were the last. By the event it asks for a look."""


class Look(Enum):
    """Why it is looked at what has ended."""

    # Nothing else happened for a while.
    WAITED = auto()
    # Whoever reads more pages wants it.
    WANTED = auto()
    OVER = auto()


# Seconds between two looks at what has ended.
_LOOK_EVERY = 1.0
# Seconds for what is under way when we are told to stop; then it is cut off, and nobody counts it.
_GRACE = 3.0


class Sending:
    """Sends through the channels; whatever goes wrong inside one launch is its own end, and no other's."""

    def __init__(self, channels: Mapping[str, Channel], states: ProviderStates, paces: Paces) -> None:
        self._gates = {name: Gate(channel, states) for name, channel in channels.items()}
        self._paces = paces
        self._hands = Hands()
        self._boundary = Boundary()

    def problems(self) -> list[str]:
        return self._boundary.problems()

    def forget(self) -> None:
        """What is held of places that nobody goes to any more; for whoever comes by, however little is sent."""
        for gate in self._gates.values():
            gate.forget()

    async def send(self, pages: Sequence[Page], more: More, stop: asyncio.Event) -> AsyncGenerator[Look, None]:
        """Of one lane. Yields when some may have ended; who stops reading cuts off what is under way.

        What `more` raises is raised when nothing is under way any more.
        """
        begun = self._all_begun(pages)
        if not begun:
            # Nothing is waited for, and tasks would cost more than all the rest of it.
            yield Look.OVER
            return
        wanted = asyncio.Event()
        sending = asyncio.create_task(self._send(begun, more, wanted))
        sending.add_done_callback(lambda _: wanted.set())
        grace = _GRACE
        try:
            while not sending.done() and grace > 0:
                await rest(wanted, min(_LOOK_EVERY, grace))
                if not wanted.is_set():
                    # By looks and not by a task of its own: most pages are over before the first.
                    grace -= _LOOK_EVERY if stop.is_set() else 0
                    yield Look.WAITED
                elif not sending.done():
                    wanted.clear()
                    yield Look.WANTED
            # A last look: what ended since is marked, too, and what was cut off and is in doubt by that.
            await _cut_off(sending)
            yield Look.OVER
            if not sending.cancelled():
                sending.result()
        finally:
            await _cut_off(sending)

    def _all_begun(self, pages: Sequence[Page]) -> list[Begun]:
        return [launch for page in pages for due in list(page.known.values()) if (launch := self._begun(page, due)) is not None]

    def _begun(self, page: Page, due: Due) -> Begun | None:
        """None: it is over without being sent, or has to wait."""
        with self._bounded(page, due):
            gate = self._gates.get(page.campaign.channel)
            if gate is None:
                # A newer launcher may know it.
                page.put(due.position, Held(f"no channel {page.campaign.channel}"))
                return None
            profile = None if due.profile is None else due.profile()
            decided = outcomes.decide(page.campaign, profile, cancelled=page.cancels(due.whom))
            if isinstance(decided, Outcome):
                page.put(due.position, decided)
            elif profile is not None:
                return Begun(page, gate, due, profile)
        return None

    async def _send(self, begun: list[Begun], more: More, wanted: asyncio.Event) -> None:
        """Page after page: the next one when all of those before it were taken, however long some of these take."""
        async with asyncio.TaskGroup() as tasks:
            while begun:
                await self._taken(begun, tasks)
                # Their profiles are held by whoever took them.
                begun.clear()
                reading = await _ended(self._next(more, wanted))
                begun = reading.result() if reading.exception() is None else []
        reading.result()

    async def _taken(self, begun: Sequence[Begun], tasks: asyncio.TaskGroup) -> None:
        """As many at once as may be under way: a task for each would only wait for its slot."""
        page, gate = begun[0].page, begun[0].gate
        # Those that go by a pace of their own apart: they sleep most of the time, and others would have no hands.
        crowd = page.campaign.account, page.campaign.trigger, *(limit.name for limit in page.limits)
        await Line(begun, partial(self._one, tasks), self._hands, crowd, gate.at_once(page.campaign), tasks).hand_out()

    async def _next(self, more: More, wanted: asyncio.Event) -> list[Begun]:
        while pages := await more(wanted):
            if begun := self._all_begun(pages):
                return begun
        return []

    async def _one(self, tasks: asyncio.TaskGroup, each: Begun) -> None:
        with self._bounded(each.page, each.due):
            ended = await self._sent(each)
            if isinstance(ended, Suspected):
                # Beside the others, who may show meanwhile whose fault it is.
                tasks.create_task(self._judged(each, ended))
            elif ended is not None:
                each.page.put(each.due.position, ended)

    @contextmanager
    def _bounded(self, page: Page, due: Due) -> Iterator[None]:
        try:
            yield
        except Exception as error:  # the boundary of a launch
            page.put(due.position, self._boundary.crossed(page.campaign.account, due.id, error))

    async def _sent(self, launch: Begun) -> Ended | None:
        """None: it was not begun."""
        for name in [limit.name for limit in launch.page.limits]:
            await self._paces.wait(name, partial(launch.limit, name))
        ended: Ended | None = Held(_no_way(launch.page))
        for name, way in launch.gate.ways(launch.page.campaign).items():
            if launch.page.doubted not in (None, name):
                continue
            ended = await self._by(name, way, launch)
            # The next one only where nothing can have passed by those before it.
            if not isinstance(ended, Held) or ended.tried:
                break
        if isinstance(ended, Outcome) and ended.ending is Ending.SEND:
            self._boundary.passed()
        return ended

    async def _judged(self, launch: Begun, suspected: Suspected) -> None:
        launch.page.put(launch.due.position, suspected.outcome if await believed(suspected.verdict) else suspected.held)

    async def _by(self, name: str, way: Provider | None, launch: Begun) -> Ended | None:
        """None: it was not begun."""
        page, gate = launch.page, launch.gate
        # Asked before the wait for its rate, which may be long.
        if (held := gate.shut(way)) is not None:
            return held
        if (limit := of_provider(way)) is not None:
            await self._paces.wait(limit.name, partial(launch.rate, name))
        await launch.in_turn()
        async with gate.slot(page.campaign, way):
            # Asked only now: the waits may have been long.
            ready = await launch.ready()
            if not isinstance(ready, Launch):
                return ready
            if name not in (ways := gate.ways(ready.campaign)):
                return Held(f"{name} is no way of its trigger any more")
            try:
                return await gate.attempt(ready, ways[name], page.doubted)
            except asyncio.CancelledError:
                if (doubt := gate.cut_off(ready, ways[name], page.doubted)) is not None:
                    page.put(launch.due.position, doubt)
                raise


async def _ended(work: Coroutine[Any, Any, T]) -> asyncio.Task[T]:
    """The work, over; nothing is raised."""
    task = asyncio.create_task(work)
    try:
        await asyncio.wait({task})
    finally:
        task.cancel()
    return task


async def _cut_off(sending: asyncio.Task[None]) -> None:
    sending.cancel()
    await asyncio.wait({sending})


def _no_way(page: Page) -> str:
    if page.doubted is not None:
        return f"it may have left by {page.doubted} before, which is no way of its trigger any more"
    return "no provider of its trigger's is active" if page.campaign.named_providers else "the account has no provider"
