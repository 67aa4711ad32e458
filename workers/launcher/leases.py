"""How long a claimed group is still ours."""

from datetime import timedelta

import asyncpg

from workers.launcher import launches
from workers.launcher.clock import clock
from workers.launcher.groups import Group


class Lease:
    """A claim's time.

    It is counted from before the claim was sent, so that we never believe longer in it than the database does.
    """

    def __init__(self, length: timedelta, asked: float) -> None:
        self._length = length
        self._ends = asked + length.total_seconds()

    def covers(self, work: timedelta) -> bool:
        """Whether something that takes this long would end before the lease does."""
        return self._ends - clock() >= work.total_seconds()

    def allows(self) -> bool:
        """Whether a launch may begin: it may take long, but only while the lease is renewed."""
        return self.covers(self._length / 4)

    async def keep(self, pool: asyncpg.Pool, group: Group) -> None:
        """Renew the lease when less than half of it is left; raises `LeaseLost`."""
        if not self.covers(self._length / 2):
            asked = clock()
            await launches.renew(pool, group, self._length)
            self._ends = asked + self._length.total_seconds()
