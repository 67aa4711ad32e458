"""One attempt of one launch at its channel, and whose fault it was."""

from collections.abc import Mapping, Sequence
from contextlib import AbstractAsyncContextManager
from functools import lru_cache

from runtime.tracing import traces
from workers.launcher.channels.channel import SERVER, Channel, Deferred, Gone, Rejected, Route, Unavailable, place_of
from workers.launcher.deliver.endings import Ended, Held, PutOff, Suspected
from workers.launcher.deliver.holds import FIRST_PROBE, Hold, Holds, for_account
from workers.launcher.deliver.provider_states import ProviderStates
from workers.launcher.deliver.suspicions import Suspicions, Verdict
from workers.launcher.model import Campaign, Ending, Launch, Outcome, Provider

# Seconds: somewhat longer than a campaign is believed.
_UNTIL_READ = 3.0


class Gate:
    """A channel, and what is known of the places behind it."""

    def __init__(self, channel: Channel, states: ProviderStates) -> None:
        self._channel = channel
        self._states = states
        self._holds = Holds()
        # By the place that all who go one way go through.
        self._suspicions = Suspicions(self._holds)

    def forget(self) -> None:
        """What is held of places that nobody goes to any more."""
        self._holds.forget()

    def ways(self, campaign: Campaign) -> Mapping[str, Provider | None]:
        """By names that stay when `apply` changes them; the first choice first."""
        return {_name(way): way for way in self._channel.ways(campaign)}

    def at_once(self, campaign: Campaign) -> int:
        """How many launches of it may be under way at once, by whichever way."""
        return max(map(self._channel.at_once, self._channel.ways(campaign)), default=1)

    def slot(self, campaign: Campaign, way: Provider | None) -> AbstractAsyncContextManager[None]:
        return self._channel.slot(campaign, way)

    def shut(self, way: Provider | None) -> Held | None:
        """What becomes of whoever would go by this provider now; None if one may try."""
        if way is None:
            return None
        if way.is_paused:
            return Held(f"provider {way.name} is paused: {way.why}")
        places = [place_of(way)]
        if way.held_for is not None and way.held_for > 0:
            # Another launcher may have found that out.
            hold = self._holds.holding(places) or self._holds.hold(places[0], way.why or "held", rest=way.held_for)
            if way.held_for > FIRST_PROBE:
                # It asked for time: until that is over, or the row says so no more, as after an `apply`.
                return _kept_by(hold)
        return _kept_by(self._holds.shut(places))

    async def attempt(self, launch: Launch, way: Provider | None = None, doubted: str | None = None) -> Ended:
        """Once, by this way. Held: nothing can have passed, or it is known to be `doubted` by it."""
        with traces().launch(launch.id, launch.campaign.channel, launch.campaign.total) as span:
            ended = await self._attempted(launch, way, doubted)
            span.ends(_shown(ended), failed=not (isinstance(ended, Outcome) and ended.ending is Ending.SEND))
        return ended

    async def _attempted(self, launch: Launch, way: Provider | None, before: str | None) -> Ended:
        route, account = self._channel.route(launch, way), launch.campaign.account
        places = _with_accounts(route.places, account)
        if (held := self.shut(way) or _kept_by(self._holds.keeps(places))) is not None:
            return held
        try:
            await self._channel.send(launch, route)
        except Unavailable as trouble:
            self._holds.hold(trouble.place, str(trouble), rest=trouble.rest)
            if trouble.place == route.places[0]:
                # What it says of one sender is no reason for others to leave it alone.
                await self._states.held(route.provider, str(trouble), trouble.rest)
            # He was told so himself, and rests for it also where others pass.
            return Held(str(trouble))
        except (Rejected, Deferred) as refusal:
            if isinstance(refusal, Gone) and await self._states.gone(route.provider):
                # Until campaigns are read again, which say that it is paused.
                self._holds.hold(route.places[0], "paused", rest=_UNTIL_READ, by_refusals=True)
            return self._refused(refusal, launch, route, places, before)
        self._holds.passed(places)
        self._suspicions[route.places[0]].accepted()
        await self._states.passed(route.provider)
        return Outcome(Ending.SEND, subscription=launch.recipient.subscription)

    def cut_off(self, launch: Launch, way: Provider | None, before: str | None = None) -> PutOff | None:
        """What becomes of one whose attempt was given up, as by our own stop; None: it stays in its group, and goes the same way again.

        Of a launcher that is killed nobody hears it: another way is tried if the first one is held by then.
        """
        doubted = self._doubted(launch, way)
        return None if doubted == before else PutOff("was cut off by our own stop", doubted=doubted, counts=False)

    def _refused(self, refusal: Rejected | Deferred, launch: Launch, route: Route, places: Sequence[str], before: str | None) -> Ended:
        doubted = self._doubted(launch, route.provider) if isinstance(refusal, Deferred) and refusal.in_doubt else None
        if isinstance(refusal, Deferred) and refusal.in_doubt and not refusal.told_apart:
            return PutOff(str(refusal), in_doubt=True, doubted=doubted)
        if refusal.answered:
            self._holds.answered(places)
        outcome = Outcome(Ending.FAIL, str(refusal), launch.recipient.subscription)
        if isinstance(refusal, Rejected) and refusal.code is None:
            if not refusal.answered:
                self._holds.unprobed(places)
            return outcome
        if (hold := self._holds.holding(places)) is not None:
            # It was the probe, and learned what is known already.
            tried = isinstance(refusal, Deferred)
            known = doubted in (None, before)
            return Held(_loggable(refusal), hold, tried=tried) if known else PutOff(str(refusal), doubted=doubted, counts=False)
        verdict = None if refusal.code is None else self._suspected(refusal.code, launch, route)
        if isinstance(refusal, Deferred):
            return PutOff(str(refusal), doubted=doubted, rest=refusal.rest)
        return outcome if verdict is None else Suspected(outcome, Held(_loggable(refusal)), verdict)

    def _doubted(self, launch: Launch, way: Provider | None) -> str | None:
        """The way by which it may have passed, where there are others, or will be: some that the trigger names may be switched off."""
        campaign = launch.campaign
        return _name(way) if max(len(self._channel.ways(campaign)), campaign.named_providers) > 1 else None

    def _suspected(self, code: int, launch: Launch, route: Route) -> Verdict:
        # A webhook has no address, but each is about somebody.
        whom = launch.recipient.address or launch.profile.id.hex()
        return self._suspicions[route.places[0]].refused(code, launch.campaign.account, whom, route.places[-1])


def _name(way: Provider | None) -> str:
    return SERVER if way is None else place_of(way)


# Launches of a trigger go by few of them.
@lru_cache(maxsize=1024)
def _with_accounts(places: tuple[str, ...], account: int) -> tuple[str, ...]:
    return (*places, *(for_account(place, account) for place in (places[0], places[-1])))


def _kept_by(hold: Hold | None) -> Held | None:
    """Without the place, which may be a sender's address."""
    return None if hold is None else Held(f"held: {hold.why}", hold)


def _loggable(refusal: Rejected | Deferred) -> str:
    return "refused" if refusal.code is None else f"refused by {refusal.code}"


def _shown(ended: Ended) -> str:
    """Without the reason: it may quote what a server said about somebody."""
    return ended.ending.value if isinstance(ended, Outcome) else type(ended).__name__.lower()
