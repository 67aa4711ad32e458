"""How fast launches may go: of a provider a second, of a trigger a minute, of a batch over its minutes; all launchers together."""

import asyncio
from collections.abc import Iterator
from dataclasses import dataclass, field

import asyncpg

from workers.launcher.deliver.away import database_may_be_away
from workers.launcher.model import Campaign, Provider

# Seconds for which what was asked for at once may go at once, and which nobody saves up.
_LOT = 0.1
# Between two looks, at most.
_LONGEST = 5.0
_ASKED_AGAIN_AFTER = 1.0

_BEGIN = "INSERT INTO paces (name, next_at) VALUES ($1, '-infinity') ON CONFLICT DO NOTHING"
# So many of `$3` go now; else in how many seconds the next one may.
_TAKE = """
UPDATE paces SET next_at = start.at + granted.n * interval '1 second' / $2
FROM (SELECT name, greatest(next_at, now() - ($3 - 1) * interval '1 second' / $2) AS at FROM paces WHERE name = $1 FOR UPDATE) AS start,
    LATERAL (SELECT least($3, greatest(0, 1 + floor(extract(epoch FROM now() - start.at) * $2)))::int AS n) AS granted
WHERE paces.name = start.name
RETURNING granted.n, extract(epoch FROM start.at - now())::float8 AS wait
"""


@dataclass(frozen=True)
class Limit:
    name: str
    per_second: float


def limits(campaign: Campaign, trigger: int, batch: bytes) -> Iterator[Limit]:
    """What a launch waits for before it is begun, whichever way it goes."""
    if campaign.spread:
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


class Paces:
    """Lets launches go one by one as their limits allow; asks the database once for as many as may go in a tenth of a second."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._each: dict[str, _Pace] = {}

    async def wait(self, limit: Limit) -> None:
        """Until one more may go."""
        pace = self._each.setdefault(limit.name, _Pace())
        pace.users += 1
        try:
            async with pace.lock:
                while not pace.left:
                    pace.left = await self._given(limit)
                pace.left -= 1
        finally:
            pace.users -= 1
            if not pace.users:
                # What is left of a lot is lost: less than a tenth of a second's.
                del self._each[limit.name]

    async def _given(self, limit: Limit) -> int:
        # Inside of a launch, whose end it must not be.
        with database_may_be_away("pace_waits"):
            return await self._taken(limit)
        await asyncio.sleep(_ASKED_AGAIN_AFTER)
        return 0

    async def _taken(self, limit: Limit) -> int:
        lot = max(1, int(limit.per_second * _LOT))
        row = await self._pool.fetchrow(_TAKE, limit.name, limit.per_second, lot)
        if row is None:
            await self._pool.execute(_BEGIN, limit.name)
            return 0
        if not row["n"]:
            await asyncio.sleep(min(row["wait"], _LONGEST))
        return int(row["n"])
