"""Pages of groups: decide each launch, send what is to be sent, and say how each ended."""

import asyncio
from collections.abc import AsyncGenerator, Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

from workers.launcher.channels.channel import Channel
from workers.launcher.deliver import outcomes
from workers.launcher.deliver.boundary import Boundary
from workers.launcher.deliver.gates import Ended, Gate, Held, PutOff, Suspected
from workers.launcher.deliver.hands import Hands, Line
from workers.launcher.deliver.holds import believed
from workers.launcher.deliver.newest import Newest
from workers.launcher.deliver.paces import Limit, Paces, of_provider
from workers.launcher.deliver.profiles import merged
from workers.launcher.deliver.provider_states import ProviderStates
from workers.launcher.model import Campaign, Due, Ending, Launch, Outcome, Profile, Provider, Recipient

# Seconds between two looks at what has ended.
_LOOK_EVERY = 1.0
# Seconds for what is under way when we are told to stop; then it is cut off, and nobody counts it.
_GRACE = 3.0


@dataclass
class Page:
    """What became of a group's launches so far, by their position in it; the others were not begun, or cut off."""

    due: Sequence[Due]
    # As it is now: it may be switched off while launches wait for a slot or their pace.
    campaign: Campaign
    # What its launches wait for before they are begun, as it is now, too.
    limits: Sequence[Limit]
    # Whether another launch may begin.
    open: Callable[[], bool]
    # The only way by which its launches may go, because they may have gone by it before.
    doubted: str | None = None
    # Profiles whose launches were taken back; None: they cannot be any more, as each was begun before.
    taken_back: frozenset[bytes] | None = frozenset()
    # What its profiles are by the time somebody who waited leaves; None: as they are in `due`.
    newest: Newest | None = None
    # By their position, as their profiles were when they were decided.
    known: dict[int, Due] = field(init=False)
    # Not taken yet.
    ended: dict[int, Outcome | PutOff] = field(default_factory=dict)
    # Those that stay in their group.
    held: dict[int, Held] = field(default_factory=dict)

    def __post_init__(self) -> None:
        self.known = {each.position: each for each in self.due}

    def cancels(self, profile: bytes) -> bool:
        """Whether a launch for this profile is taken back."""
        return self.taken_back is not None and (self.campaign.cancelled or profile in self.taken_back)

    def put(self, position: int, ended: Outcome | PutOff | Held) -> None:
        if isinstance(ended, Held):
            self.held[position] = ended
        else:
            self.ended[position] = ended

    def take(self) -> dict[int, Outcome | PutOff]:
        """What has ended since the last time."""
        taken, self.ended = self.ended, {}
        return taken


class _Begun(NamedTuple):
    """A launch that is to be sent."""

    page: Page
    gate: Gate
    due: Due
    profile: Profile

    async def ready(self) -> Launch | Outcome | None:
        """What is attempted, once it has waited for all that there is to wait for; None when it is not to begin any more."""
        page, due, profile = self.page, self.due, self.profile
        if page.newest is not None and page.newest.has_aged():
            if (stored := await page.newest.of(due.whom, page.open)) is None:
                return None
            page.known[due.position] = due._replace(email=stored.email)
            if (read := stored.reader()) is None:
                return outcomes.CANCELLED if page.cancels(due.whom) else outcomes.PROFILE_DELETED
            profile = read()
        if not page.open():
            return None
        decided = self._decided(profile)
        if isinstance(decided, Outcome):
            return decided
        return Launch(due.id, page.campaign, profile, decided, merged(page.campaign.custom_data, due.own))

    def limit(self, name: str) -> Limit | None:
        """As it is now, if this one still goes."""
        return next((limit for limit in self.page.limits if limit.name == name), None) if self._goes() else None

    def rate(self, way: str) -> Limit | None:
        """The same, of a provider."""
        return of_provider(self.gate.ways(self.page.campaign).get(way)) if self._goes() else None

    def _goes(self) -> bool:
        return self.page.open() and not isinstance(self._decided(self.profile), Outcome)

    def _decided(self, profile: Profile) -> Recipient | Outcome:
        """By what is known now."""
        return outcomes.decide(self.page.campaign, profile, cancelled=self.page.cancels(self.due.whom))


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

    async def send(self, pages: Sequence[Page], stop: asyncio.Event) -> AsyncGenerator[bool, None]:
        """Of one lane. Yields each second, when some may have ended, whether others are under way; who stops reading cuts these off."""
        begun = [launch for page in pages for due in page.due if (launch := self._begun(page, due)) is not None]
        if not begun:
            # Nothing is waited for, and tasks would cost more than all the rest of it.
            yield False
            return
        sending = asyncio.create_task(self._send(begun))
        under_way, grace = True, _GRACE
        try:
            while under_way and grace > 0:
                # Looked at before whoever reads us takes, so that what ends while he marks is in a later look.
                under_way = bool((await asyncio.wait({sending}, timeout=min(_LOOK_EVERY, grace)))[1])
                # By looks and not by a task of its own: most pages are over before the first.
                grace -= _LOOK_EVERY if stop.is_set() else 0
                yield under_way
            if not under_way:
                sending.result()
        finally:
            sending.cancel()
            await asyncio.wait({sending})

    def _begun(self, page: Page, due: Due) -> _Begun | None:
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
                return _Begun(page, gate, due, profile)
        return None

    async def _send(self, begun: Sequence[_Begun]) -> None:
        """As many at once as may be under way: a task for each would only wait for its slot."""
        page, gate = begun[0].page, begun[0].gate
        # Those that go by a pace of their own apart: they sleep most of the time, and others would have no hands.
        crowd = page.campaign.account, page.campaign.trigger, *(limit.name for limit in page.limits)
        async with asyncio.TaskGroup() as tasks:
            await Line(begun, partial(self._one, tasks), self._hands, crowd, gate.at_once(page.campaign), tasks).hand_out()

    async def _one(self, tasks: asyncio.TaskGroup, each: _Begun) -> None:
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

    async def _sent(self, launch: _Begun) -> Ended | None:
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

    async def _judged(self, launch: _Begun, suspected: Suspected) -> None:
        launch.page.put(launch.due.position, suspected.outcome if await believed(suspected.verdict) else suspected.held)

    async def _by(self, name: str, way: Provider | None, launch: _Begun) -> Ended | None:
        """None: it was not begun."""
        page, gate = launch.page, launch.gate
        # Asked before the wait for its rate, which may be long.
        if (held := gate.shut(way)) is not None:
            return held
        if (limit := of_provider(way)) is not None:
            await self._paces.wait(limit.name, partial(launch.rate, name))
        async with gate.slot(page.campaign, way):
            # Asked only now: the waits may have been long.
            ready = await launch.ready()
            if not isinstance(ready, Launch):
                return ready
            if name not in (ways := gate.ways(ready.campaign)):
                return Held(f"{name} is no way of its trigger any more")
            return await gate.attempt(ready, ways[name])


def _no_way(page: Page) -> str:
    if page.doubted is not None:
        return f"it may have left by {page.doubted} before, which is no way of its trigger any more"
    return "no provider of its trigger's is active" if page.campaign.names_providers else "the account has no provider"
