"""A claimed group that is being worked on."""

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field

from schemas import ids
from schemas.topics import Outgoing
from workers.exactly_once.progress import unpack
from workers.launcher.clock import clock
from workers.launcher.groups.group import Group
from workers.launcher.groups.launches import MOST_CLAIMS
from workers.launcher.groups.leases import Lease


@dataclass
class Work:
    """What is known of the group while it is ours."""

    group: Group
    lease: Lease
    # Hears how many are left when nothing came of them for a while.
    waits: Callable[[int], None]
    stop: asyncio.Event
    # Positions that are not over.
    left: set[int] = field(init=False)
    # Marked, and perhaps not told to the world: the next mark must not forget it.
    untold: list[Outgoing] = field(init=False)
    # Why the world cannot be told.
    silent: str | None = None
    # When the campaign was read.
    read_at: float = field(default_factory=clock)

    def __post_init__(self) -> None:
        self.left = set(self.group.undone())
        self.untold = list(unpack(self.group.outbox))

    def open(self) -> bool:
        """Whether another launch may begin."""
        return not self.stop.is_set() and self.silent is None and self.lease.allows()

    def kills(self) -> bool:
        """Whether so many launchers had it, and did not come as far as a mark."""
        return self.group.claims > MOST_CLAIMS

    def launch(self, position: int) -> str:
        return ids.launch_id(self.group.batch, self.group.items[position], self.group.trigger)
