"""One attempt of one launch at its channel, and whose fault it was."""

from collections.abc import Sequence
from dataclasses import dataclass

from workers.launcher.channels.channel import SERVER, Channel, Deferred, Rejected, Unavailable
from workers.launcher.deliver.holds import Holds, Suspicion, Verdict, for_account
from workers.launcher.model import Ending, Launch, Outcome


@dataclass(frozen=True)
class PutOff:
    """A launch that may pass later, and why it did not now; `in_doubt`: it may have passed."""

    why: str
    in_doubt: bool = False


@dataclass(frozen=True)
class Held:
    """A launch that has to wait, through no fault of its own."""

    why: str


@dataclass(frozen=True)
class Suspected:
    """A launch that failed, unless it turns out that nobody passes."""

    outcome: Outcome
    verdict: Verdict


class Gate:
    """A channel, and what is known of the places behind it."""

    def __init__(self, channel: Channel) -> None:
        self.slots = channel.slots
        self._channel = channel
        self._holds = Holds()
        self._suspicion = Suspicion(self._holds)

    async def attempt(self, launch: Launch) -> Outcome | PutOff | Held | Suspected:
        places = self._places(launch)
        if (why := self._holds.keeps(places)) is not None:
            return Held(why)
        try:
            await self._channel.send(launch)
        except Unavailable as trouble:
            self._holds.hold(trouble.place, str(trouble))
            return Held(str(trouble))
        except (Rejected, Deferred) as refusal:
            return self._refused(refusal, launch, places)
        self._holds.passed(places)
        self._suspicion.accepted()
        return Outcome(Ending.SEND, subscription=launch.recipient.subscription)

    def _places(self, launch: Launch) -> Sequence[str]:
        places = self._channel.places(launch)
        return (*places, *(for_account(place, launch.campaign.account) for place in (SERVER, places[-1])))

    def _refused(self, refusal: Rejected | Deferred, launch: Launch, places: Sequence[str]) -> PutOff | Held | Outcome | Suspected:
        if isinstance(refusal, Deferred) and refusal.in_doubt:
            return PutOff(str(refusal), in_doubt=True)
        if self._holds.holds(places):
            # It was the probe, and learned what is known already.
            return Held(str(refusal))
        verdict = None if refusal.code is None else self._suspected(refusal.code, launch)
        if isinstance(refusal, Deferred):
            return PutOff(str(refusal))
        outcome = Outcome(Ending.FAIL, str(refusal), launch.recipient.subscription)
        return outcome if verdict is None else Suspected(outcome, verdict)

    def _suspected(self, code: int, launch: Launch) -> Verdict:
        return self._suspicion.refused(code, launch.campaign.account, launch.recipient.address, self._channel.places(launch)[-1])
