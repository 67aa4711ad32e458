"""One attempt of one launch at its channel, and whose fault it was."""

from collections import defaultdict
from collections.abc import Sequence
from contextlib import AbstractAsyncContextManager
from dataclasses import dataclass

from workers.launcher.channels.channel import Channel, Deferred, Gone, Rejected, Route, Unavailable
from workers.launcher.deliver.holds import Holds, Suspicion, Verdict, for_account
from workers.launcher.deliver.provider_states import ProviderStates
from workers.launcher.model import Campaign, Ending, Launch, Outcome


@dataclass(frozen=True)
class PutOff:
    """A launch that may pass later, and why it did not now; `in_doubt`: it may have passed. `rest`: seconds that it waits at least."""

    why: str
    in_doubt: bool = False
    rest: float = 0.0


@dataclass(frozen=True)
class Held:
    """A launch that has to wait, through no fault of its own."""

    why: str


@dataclass(frozen=True)
class Suspected:
    """A launch that failed, unless it turns out that nobody passes."""

    outcome: Outcome
    verdict: Verdict


Ended = Outcome | PutOff | Held | Suspected


class Gate:
    """A channel, and what is known of the places behind it."""

    def __init__(self, channel: Channel, states: ProviderStates) -> None:
        self._channel = channel
        self._states = states
        self._holds = Holds()
        # By the place that all who go one way go through.
        self._suspicions: defaultdict[str, Suspicion] = _Suspicions(self._holds)

    def slot(self, campaign: Campaign) -> AbstractAsyncContextManager[None]:
        return self._channel.slot(campaign)

    async def attempt(self, launch: Launch) -> Ended:
        """By the first way that is open; by the next one only where nothing can have passed by those before it."""
        ended: Ended = Held("the account has no provider")
        for route in self._channel.routes(launch):
            ended = await self._by(route, launch)
            if not isinstance(ended, Held):
                break
        return ended

    async def _by(self, route: Route, launch: Launch) -> Ended:
        account = launch.campaign.account
        places = (*route.places, *(for_account(place, account) for place in (route.places[0], route.places[-1])))
        if (why := self._closed(route, places)) is not None:
            return Held(why)
        try:
            await self._channel.send(launch, route)
        except Unavailable as trouble:
            self._holds.hold(trouble.place, str(trouble), rest=trouble.rest)
            await self._states.held(route.provider, str(trouble), trouble.rest)
            return Held(str(trouble))
        except (Rejected, Deferred) as refusal:
            if isinstance(refusal, Gone):
                await self._states.gone(route.provider)
            return self._refused(refusal, launch, route, places)
        self._holds.passed(places)
        self._suspicions[route.places[0]].accepted()
        await self._states.passed(route.provider)
        return Outcome(Ending.SEND, subscription=launch.recipient.subscription)

    def _closed(self, route: Route, places: Sequence[str]) -> str | None:
        """Why nobody may go this way; None if it may be tried, perhaps as a probe."""
        provider = route.provider
        if provider is not None and provider.is_paused:
            return f"provider {provider.name} is paused: {provider.why}"
        if provider is not None and provider.held_for and not self._holds.holds(places):
            # Another launcher has found that out.
            self._holds.hold(route.places[0], provider.why or "held", rest=provider.held_for)
        return self._holds.keeps(places)

    def _refused(self, refusal: Rejected | Deferred, launch: Launch, route: Route, places: Sequence[str]) -> Ended:
        if isinstance(refusal, Deferred) and refusal.in_doubt:
            return PutOff(str(refusal), in_doubt=True)
        if self._holds.holds(places):
            # It was the probe, and learned what is known already.
            return Held(str(refusal))
        verdict = None if refusal.code is None else self._suspected(refusal.code, launch, route)
        if isinstance(refusal, Deferred):
            return PutOff(str(refusal), rest=refusal.rest)
        outcome = Outcome(Ending.FAIL, str(refusal), launch.recipient.subscription)
        return outcome if verdict is None else Suspected(outcome, verdict)

    def _suspected(self, code: int, launch: Launch, route: Route) -> Verdict:
        # A webhook has no address, but each is about somebody.
        whom = launch.recipient.address or launch.profile.id.hex()
        return self._suspicions[route.places[0]].refused(code, launch.campaign.account, whom, route.places[-1])


class _Suspicions(defaultdict[str, Suspicion]):
    def __init__(self, holds: Holds) -> None:
        super().__init__()
        self._holds = holds

    def __missing__(self, server: str) -> Suspicion:
        self[server] = Suspicion(self._holds, server)
        return self[server]
