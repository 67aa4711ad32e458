"""A claimed group that is being worked on."""

import asyncio
from dataclasses import dataclass, field

from schemas import ids
from schemas.topics import Outgoing
from workers.launcher.clock import clock
from workers.launcher.groups import Group
from workers.launcher.leases import Lease

# For what is under way when we are told to stop; then it is cut off, and nobody counts it.
_GRACE = 4.0


@dataclass
class Work:
    """What is known of the group while it is ours."""

    group: Group
    lease: Lease
    stop: asyncio.Event
    # Positions that are not over.
    left: set[int] = field(init=False)
    # Marked, and perhaps not told to the world: the next mark must not forget it.
    untold: list[Outgoing] = field(default_factory=list)
    # Why the world cannot be told.
    silent: str | None = None
    # When the campaign was read.
    read_at: float = field(default_factory=clock)
    _cut_at: float | None = None

    def __post_init__(self) -> None:
        self.left = set(self.group.undone())

    def open(self) -> bool:
        """Whether another launch may begin."""
        return not self.stop.is_set() and self.silent is None and self.lease.allows()

    def over(self) -> bool:
        """Whether what is under way had its time since we were told to stop."""
        if not self.stop.is_set():
            return False
        self._cut_at = self._cut_at or clock() + _GRACE
        return clock() >= self._cut_at

    def launch(self, position: int) -> str:
        return ids.launch_id(self.group.batch, self.group.items[position], self.group.trigger)
