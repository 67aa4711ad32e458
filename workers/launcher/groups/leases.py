"""How long claimed groups are still ours."""

import asyncio
from collections.abc import Coroutine, Iterable, Sequence
from datetime import timedelta
from typing import Any

import asyncpg

from runtime.postgres import POSTGRES_ERRORS
from runtime.racing import T, unless_later
from runtime.trouble import Trouble, trouble_of
from workers.launcher.clock import clock
from workers.launcher.groups import launches
from workers.launcher.groups.group import Group
from workers.launcher.groups.naming import LeaseLost

# Seconds.
_LOOK_EVERY = 1.0


class Lease:
    """A claim's time, for groups that go together.

    It is counted from before the claim was sent, so that we never believe longer in it than the database does.
    """

    def __init__(self, length: timedelta, asked: float, groups: Sequence[Group]) -> None:
        self._length = length
        # What a launch needs to begin: each asks.
        self._least = length / 4
        self._ends = asked + length.total_seconds()
        # By identity: each launch asks for its group.
        self._groups = {id(group): group for group in groups}
        # Of which nothing was begun or marked yet, and of which the claim does not count meanwhile.
        self._idle = set(self._groups)
        self._uncounted: set[int] = set()
        # How many of them others have by now.
        self.lost = 0

    def has(self, group: Group) -> bool:
        """Whether it is ours, for all that we know."""
        return id(group) in self._groups

    def begins(self, group: Group) -> None:
        """A launch of it is attempted, or was marked: from then on each renewal leaves its claim as it counts."""
        self._idle.discard(id(group))
        self._uncounted.discard(id(group))

    def is_idle(self, group: Group) -> bool:
        return id(group) in self._idle

    def is_uncounted(self, group: Group) -> bool:
        """Whether its claim does not count, because it only waited."""
        return id(group) in self._uncounted

    def counted(self, group: Group) -> None:
        self._uncounted.discard(id(group))

    def uncounted(self, groups: Iterable[Group]) -> None:
        self._uncounted.update(map(id, groups))

    def let_go(self, groups: Iterable[Group]) -> None:
        """They are over, or given back: nobody renews them, and nobody gives them back once more."""
        for group in groups:
            self._groups.pop(id(group), None)

    def lose(self, groups: Iterable[Group]) -> None:
        """Others have them. Raises `LeaseLost` when it has none left: whatever is under way then is not ours."""
        before = self.lost
        for group in groups:
            self.lost += self._groups.pop(id(group), None) is not None
        if self.lost > before and not self._groups:
            raise LeaseLost

    def covers(self, work: timedelta) -> bool:
        """Whether something that takes this long would end before the lease does."""
        return self._ends - clock() >= work.total_seconds()

    def allows(self) -> bool:
        """Whether a launch may begin: it may take long, but only while the lease is renewed."""
        return self.covers(self._least)

    async def during(self, pool: asyncpg.Pool, work: Coroutine[Any, Any, T], stop: asyncio.Event, grace: float) -> T | None:
        """What the work returns; whatever it waits for, the lease is renewed meanwhile. Cuts it off with `LeaseLost`.

        None when it lasted longer than `grace` seconds, or a look more, after we were told to stop.
        """
        return await unless_later(self._every(), lambda: self._renewals(pool, stop, grace), work)

    async def renew_if_due(self, pool: asyncpg.Pool) -> None:
        """Renew the lease when less than half of it is left; raises `LeaseLost` where that was the last group's."""
        if self._groups and not self.covers(self._length / 2):
            asked, groups = clock(), list(self._groups.values())
            # What only waits kills nobody, however many launchers die meanwhile.
            idle = [group for group in groups if id(group) in self._idle]
            self.uncounted(idle)
            ours = await launches.renew(pool, groups, idle, self._length)
            self._ends = asked + self._length.total_seconds()
            self.lose(group for group, is_ours in zip(groups, ours, strict=True) if not is_ours)

    def _every(self) -> float:
        return min(_LOOK_EVERY, self._length.total_seconds() / 8)

    async def _renewals(self, pool: asyncpg.Pool, stop: asyncio.Event, grace: float) -> None:
        every = self._every()
        while grace > 0:
            try:
                await self.renew_if_due(pool)
            except POSTGRES_ERRORS as error:
                # What is under way may end; nothing begins once the lease is nearly over.
                if trouble_of(error) is not Trouble.WORLD:
                    raise
            await asyncio.sleep(every)
            grace -= every if stop.is_set() else 0
