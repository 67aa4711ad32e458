"""One page of a group: decide each launch, send what is to be sent, and say how each ended."""

import asyncio
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from workers.launcher import outcomes
from workers.launcher.channel import Channel, Deferred, Refused, Unavailable
from workers.launcher.leases import Lease
from workers.launcher.terms import Campaign, Ending, Launch, Outcome, Profile, Recipient


@dataclass
class Page:
    """What became of a page's launches, by their position in the group; the others were not begun."""

    settled: dict[int, Outcome] = field(default_factory=dict)
    # May pass later, and why they did not now.
    deferred: dict[int, str] = field(default_factory=dict)
    # Why nothing more may pass now.
    unavailable: str | None = None

    def begun(self) -> set[int]:
        return self.settled.keys() | self.deferred.keys()

    def blocked(self) -> bool:
        """Nothing passed that could; going on would only knock at a closed door."""
        return self.unavailable is not None or (bool(self.deferred) and not self.settled)


@dataclass(frozen=True)
class Due:
    """A launch that is due: its position in the group, its id, and its profile unless that is gone."""

    position: int
    id: str
    profile: Profile | None


class Sending:
    """Sends through the channels; each send is short beside a lease, and none begins that the lease does not cover."""

    def __init__(self, channels: Mapping[str, Channel], lease: timedelta) -> None:
        self._channels = channels
        self._longest = lease / 4

    async def send(self, campaign: Campaign, due: Sequence[Due], lease: Lease, stop: asyncio.Event) -> Page:
        page = Page()
        async with asyncio.TaskGroup() as sends:
            for each in due:
                match outcomes.decide(campaign, each.profile):
                    case Outcome() as outcome:
                        page.settled[each.position] = outcome
                    case Recipient() as recipient if each.profile is not None:
                        launch = Launch(each.id, campaign, each.profile, recipient)
                        sends.create_task(self._one(page, each.position, launch, lease, stop))
        return page

    async def _one(self, page: Page, position: int, launch: Launch, lease: Lease, stop: asyncio.Event) -> None:
        channel = self._channels.get(launch.campaign.channel)
        if channel is None:
            # A newer launcher may know it.
            page.unavailable = f"no channel {launch.campaign.channel}"
            return
        async with channel.slots:
            # Asked only now: the wait for a slot may have been long.
            if page.unavailable or stop.is_set() or not lease.covers(self._longest):
                return
            try:
                async with asyncio.timeout(self._longest.total_seconds()):
                    await channel.send(launch)
                page.settled[position] = Outcome(Ending.SEND, subscription=launch.recipient.subscription)
            except Refused as refusal:
                page.settled[position] = Outcome(Ending.FAIL, str(refusal), launch.recipient.subscription)
            except Deferred as deferral:
                page.deferred[position] = str(deferral)
            except TimeoutError:
                page.deferred[position] = "timed out"
            except Unavailable as trouble:
                page.unavailable = str(trouble)
