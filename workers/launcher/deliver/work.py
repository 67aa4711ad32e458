"""A claimed group that is being worked on."""

import asyncio
import random
from collections.abc import Sequence
from dataclasses import dataclass, field
from datetime import timedelta

from schemas import ids
from schemas.ids import TriggerId
from schemas.topics import Outgoing, unpack
from workers.launcher.clock import clock
from workers.launcher.deliver import paces
from workers.launcher.deliver.endings import Held
from workers.launcher.deliver.paces import Limit
from workers.launcher.groups.group import Group
from workers.launcher.groups.launches import MOST_CLAIMS
from workers.launcher.groups.leases import Lease
from workers.launcher.model import Campaign


@dataclass(eq=False)
class Work:
    """What is known of the group while it is ours."""

    group: Group
    lease: Lease
    stop: asyncio.Event
    # Positions that are not over.
    left: set[int] = field(init=False)
    # Positions whose turn has not come, in their order.
    ahead: list[int] = field(init=False)
    # Positions whose destination keeps them waiting.
    held: dict[int, Held] = field(default_factory=dict)
    # Whether any was sent since it was claimed.
    sent: bool = False
    # Marked, and perhaps not told to the world: the next mark must not forget it.
    untold: list[Outgoing] = field(init=False)
    # Whether it goes by a pace, and there is no place to wait for that: then it comes again later.
    crowded_out: bool = False
    # Why the world cannot be told.
    silent: str | None = None
    # As it was when it was read.
    campaign: Campaign = field(init=False)
    read_at: float = field(default_factory=clock)

    # Held by whoever makes its claim count.
    beginning: asyncio.Lock = field(default_factory=asyncio.Lock)

    def __post_init__(self) -> None:
        self.ahead = self.group.undone()
        if self.group.held_for is not None:
            # Whoever comes first may be let through alone: were it always the same one, who is refused for himself would keep the others.
            random.shuffle(self.ahead)
        self.left = set(self.ahead)
        self.untold = unpack(self.group.outbox)

    @property
    def named(self) -> tuple[bytes, TriggerId]:
        """What its campaign is read by."""
        return self.group.batch, self.group.trigger

    def goes_on(self) -> bool:
        """Whether launches of it may begin now, or a moment later."""
        return not (self.stop.is_set() or self.crowded_out) and self.silent is None and self.lease.has(self.group)

    def open(self) -> bool:
        """Whether another launch may begin."""
        return self.goes_on() and self.lease.allows()

    def over(self) -> bool:
        """Whether all of it is marked and told."""
        return not self.left and not self.untold

    def limits(self) -> Sequence[Limit]:
        """What its launches wait for before they are begun."""
        return list(paces.limits(self.campaign, self.group.trigger, self.group.batch))

    def waited(self) -> timedelta:
        """For a destination that took nothing of it."""
        return timedelta() if self.sent else self.group.waited()

    def may_go_on(self) -> bool:
        """Whether it came further, and what some of its launches waited for is over by now."""
        return any(each.may_go() for each in self.held.values()) and len(self.left) < len(self.group.undone())

    def paced_alone(self) -> bool:
        """Whether its launches wait for each other only, and for none of another batch's."""
        return self.campaign.is_spread and not self.campaign.pace

    def is_suspect(self) -> bool:
        """Whether its next claim in vain would be the last one."""
        return self.group.claims == MOST_CLAIMS

    def kills(self) -> bool:
        """Whether so many launchers had it, and did not come as far as a mark."""
        return self.group.claims > MOST_CLAIMS

    def launch(self, position: int) -> str:
        return ids.launch_id(self.group.batch, self.group.items[position], self.group.trigger)
