"""Tells a worker that is stuck from one that has nothing to do, or waits on purpose."""

import asyncio
from collections.abc import Callable, Iterable, Mapping
from typing import Generic, TypeVar

import asyncpg
import structlog

from runtime.broker import end_offsets
from runtime.kafka import BrokerUnavailable
from runtime.postgres import POSTGRES_ERRORS
from schemas.settings import Settings
from store.positions import Partition, positions

log = structlog.get_logger()

# A minute of looks.
LOOK_EVERY = 5.0
LOOKS = 12
# And some more with work before it: what stood for a minute may have had none until a moment ago.
CONFIRMED = 3
# Both servers are asked over connections of their own, which are not stuck with the worker.
_ANSWERING = 5.0

K = TypeVar("K")
Mark = tuple[int, int]
"""A partition's next offset, and how many messages from there were prepared."""


class Stuck(Exception):
    """Nothing moves although there is work, and both servers answer: only a new process will help."""


class Furthest:
    """How far the chunk at hand has ever come: who begins it again and again, and comes no further, does not live."""

    def __init__(self) -> None:
        self.come = 0
        self._now = 0

    def begin(self) -> None:
        self._now = 0

    def count(self, messages: int) -> None:
        self._now += messages
        self.come = max(self.come, self._now)

    def arrived(self) -> None:
        self.come = 0


class Stillness(Generic[K]):
    """Counts the looks in a row at which something stood where it had stood; a process that is frozen does not look."""

    def __init__(self, looks: int = LOOKS) -> None:
        self._looks = looks
        self._seen: dict[K, tuple[object, int]] = {}

    def seen(self, where: Mapping[K, object]) -> set[K]:
        """Those that have stood for so many looks by now; a minute of them, unless it was said otherwise."""
        before = self._seen
        self._seen = {key: (at, before[key][1] + 1 if before.get(key, (None,))[0] == at else 0) for key, at in where.items()}
        return {key for key, (_, looks) in self._seen.items() if looks >= self._looks}

    def forget(self, keys: Iterable[K]) -> None:
        """Their minute begins again."""
        for key in keys:
            self._seen.pop(key, None)


async def watch(settings: Settings, standing: Callable[[], Mapping[Partition, Mark]]) -> None:
    """Raises `Stuck` when a partition that should move, and lags, has stood for a minute."""
    stillness: Stillness[Partition] = Stillness()
    behind: Stillness[Partition] = Stillness(CONFIRMED)
    while True:
        await asyncio.sleep(LOOK_EVERY)
        marks = standing()
        still = stillness.seen(marks)
        lags = await lagging(settings, still) if still else set[Partition]()
        if stuck := behind.seen({partition: marks[partition] for partition in lags}):
            raise Stuck(f"{sorted(stuck)} have not moved for a minute, although there is work and both servers answer")
        stillness.forget(still - lags)


async def lagging(settings: Settings, partitions: Iterable[Partition]) -> set[Partition]:
    """Those whose topic has more than is processed; none while one of the servers is away."""
    try:
        async with asyncio.timeout(2 * _ANSWERING):
            ends = await end_offsets(settings, partitions)
            stand = await _positions(settings)
    except (BrokerUnavailable, *POSTGRES_ERRORS) as error:
        log.debug("lag_unknown", why=repr(error))
        return set()
    return {partition for partition, end in ends.items() if end > stand.get(partition, end)}


async def _positions(settings: Settings) -> dict[Partition, int]:
    connection = await asyncpg.connect(**settings.postgres_options(), timeout=_ANSWERING)
    try:
        return await positions(connection)
    finally:
        # A server that has fallen silent does not say goodbye either.
        await connection.close(timeout=_ANSWERING)
