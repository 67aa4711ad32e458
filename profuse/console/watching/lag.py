"""How far the workers are behind the broker's topics, and which partitions stand still."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

import asyncpg

from runtime.broker import end_offsets
from runtime.kafka import BrokerUnavailable
from schemas.settings import Settings
from store.positions import positions

# Each look opens a connection to the broker.
_GOOD_FOR = 10.0
_WITHIN = 5.0
_WAITED_FOR = 0.5


@dataclass(frozen=True)
class Partition:
    """One that has not moved since the look before, though something waits in it."""

    topic: str
    number: int
    behind: int
    stands: timedelta


@dataclass(frozen=True)
class Lag:
    """Messages that wait by topic, None while the broker is away; and partitions that stand still, the oldest first."""

    behind: dict[str, int] | None
    standing: list[Partition]


class Lags:
    """Remembers since when each partition has been where it is."""

    def __init__(self, settings: Settings, pool: asyncpg.Pool) -> None:
        self._settings = settings
        self._pool = pool
        self._found: Lag | None = None
        self._looking: asyncio.Task[Lag] | None = None
        self._asked_at = 0.0
        self._since: dict[tuple[str, int], tuple[int, float]] = {}

    async def now(self) -> Lag | None:
        """What was found last, None before anything was; a broker that takes its time is not waited for. Raises what Postgres raises."""
        now = asyncio.get_running_loop().time()
        if self._looking is None and (self._found is None or now - self._asked_at >= _GOOD_FOR):
            self._looking, self._asked_at = asyncio.create_task(self._look(now)), now
        if (looking := self._looking) is not None:
            await asyncio.wait({looking}, timeout=_WAITED_FOR)
            # Others may have waited for the same.
            if looking.done() and self._looking is looking:
                self._looking = None
                self._found = looking.result()
        return self._found

    async def _look(self, now: float) -> Lag:
        stand = await positions(self._pool)
        try:
            async with asyncio.timeout(_WITHIN):
                ends = await end_offsets(self._settings, stand) if stand else {}
        except (BrokerUnavailable, OSError, TimeoutError):
            return Lag(None, [])
        waiting = {each: max(0, ends.get(each, 0) - position) for each, position in stand.items()}
        self._since = {each: self._moved(each, position, now) for each, position in stand.items() if waiting[each]}
        behind: dict[str, int] = {}
        for (topic, _), count in waiting.items():
            name = topic.removeprefix(self._settings.topic(""))
            behind[name] = behind.get(name, 0) + count
        return Lag(behind, self._standing(waiting, now))

    def _moved(self, partition: tuple[str, int], position: int, now: float) -> tuple[int, float]:
        before = self._since.get(partition)
        return before if before and before[0] == position else (position, now)

    def _standing(self, waiting: dict[tuple[str, int], int], now: float) -> list[Partition]:
        stuck = sorted((since, each) for each, (_, since) in self._since.items() if since < now)
        return [
            Partition(topic.removeprefix(self._settings.topic("")), number, waiting[topic, number], timedelta(seconds=round(now - since)))
            for since, (topic, number) in stuck
        ]
