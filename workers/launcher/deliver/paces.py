"""How fast launches may go: of a provider a second, of a trigger a minute, of a batch over its minutes; all launchers together."""

import asyncio
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import dataclass, field

import asyncpg

from workers.launcher.clock import clock
from workers.launcher.deliver.away import database_may_be_away
from workers.launcher.model import Campaign, Provider

# Seconds for which what was asked for at once may go at once, and which nobody saves up.
_LOT = 0.1
# Between two questions, at most.
_LONGEST = 5.0
# Whether who waits still has to.
_LOOK_EVERY = 0.5
_ASKED_AGAIN_AFTER = 1.0

_BEGIN = "INSERT INTO paces (name, next_at) VALUES ($1, '-infinity') ON CONFLICT DO NOTHING"
# So many of `$3` go now; else in how many seconds the next one may: no later than by this limit, though it was lower until now.
_TAKE = """
UPDATE paces SET next_at = start.at + granted.n * interval '1 second' / $2
FROM (
        SELECT name, greatest(least(next_at, now() + interval '1 second' / $2), now() - ($3 - 1) * interval '1 second' / $2) AS at
        FROM paces WHERE name = $1 FOR UPDATE
    ) AS start,
    LATERAL (SELECT least($3, greatest(0, 1 + floor(extract(epoch FROM now() - start.at) * $2)))::int AS n) AS granted
WHERE paces.name = start.name
RETURNING granted.n, extract(epoch FROM start.at - now())::float8 AS wait
"""


@dataclass(frozen=True)
class Limit:
    name: str
    per_second: float


Now = Callable[[], Limit | None]
"""A limit as it is now; None when nobody has to wait for it any more."""


def limits(campaign: Campaign, trigger: int, batch: bytes) -> Iterator[Limit]:
    """What a launch waits for before it is begun, whichever way it goes."""
    if campaign.spread and campaign.is_spread:
        yield Limit(f"batch {batch.hex()} {trigger}", campaign.total / (60 * campaign.spread))
    if campaign.pace:
        yield Limit(f"trigger {trigger}", campaign.pace / 60)


def of_provider(provider: Provider | None) -> Limit | None:
    """What a launch waits for before it is tried by this one."""
    return Limit(f"provider {provider.id}", float(provider.rate)) if provider is not None and provider.rate else None


@dataclass
class _Pace:
    lock: asyncio.Lock = field(default_factory=asyncio.Lock)
    left: int = 0
    users: int = 0
    # By which limit nobody goes, and until when.
    shut_by: Limit | None = None
    shut_until: float = 0.0

    def rest(self, limit: Limit) -> float:
        return self.shut_until - clock() if limit == self.shut_by else 0.0


class Paces:
    """Lets launches go one by one as their limits allow; asks the database once for as many as may go in a tenth of a second."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._each: dict[str, _Pace] = {}

    async def wait(self, name: str, now: Now) -> None:
        """Until one more may go, or does not wait any more: who waits for hours hears what changes."""
        pace = self._each.setdefault(name, _Pace())
        pace.users += 1
        try:
            if await _in_turn(pace.lock, now):
                try:
                    await self._one(pace, now)
                finally:
                    pace.lock.release()
        finally:
            pace.users -= 1
            if not pace.users:
                # What is left of a lot is lost: less than a tenth of a second's.
                del self._each[name]

    async def _one(self, pace: _Pace, now: Now) -> None:
        while (limit := now()) is not None and not pace.left:
            if (rest := pace.rest(limit)) > 0:
                await asyncio.sleep(min(rest, _LOOK_EVERY))
            else:
                await self._ask(pace, limit)
        pace.left -= limit is not None

    async def _ask(self, pace: _Pace, limit: Limit) -> None:
        # Inside of a launch, whose end it must not be.
        with database_may_be_away("pace_waits"):
            await self._take(pace, limit)
            return
        await asyncio.sleep(_ASKED_AGAIN_AFTER)

    async def _take(self, pace: _Pace, limit: Limit) -> None:
        lot = max(1, int(limit.per_second * _LOT))
        row = await self._pool.fetchrow(_TAKE, limit.name, limit.per_second, lot)
        if row is None:
            await self._pool.execute(_BEGIN, limit.name)
        elif row["n"]:
            pace.left = row["n"]
        else:
            pace.shut_by, pace.shut_until = limit, clock() + min(row["wait"], _LONGEST)


async def _in_turn(lock: asyncio.Lock, now: Now) -> bool:
    """Takes the lock; not where there is nothing to wait for any more, of which who stands in line hears as soon as who is first."""
    while now() is not None:
        with suppress(TimeoutError):
            async with asyncio.timeout(_LOOK_EVERY):
                return await lock.acquire()
    return False
