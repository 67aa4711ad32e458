"""Reads whatever a hook asks for that fell behind, has a batch to repeat, or is new."""

import asyncio
from collections.abc import Iterable, Sequence
from datetime import datetime
from typing import Any

from aiokafka import TopicPartition

from runtime.kafka import new_consumer, started, stop_client
from schemas.settings import Settings
from schemas.topics import EVENTS
from workers.hooks.events import events_of
from workers.hooks.model import Stretch

# Of each partition, before it is asked for; of the room's other consumer, too.
FETCHED = 1024 * 1024
# Seconds that are waited for records that must be there.
_PATIENCE = 2.0
# Records that may be read before their bytes are counted; and all together.
_STEP = 128
_MOST = 8 * 1024


class Reading:
    """One read at a time, so that memory holds one; who lags takes turns with the others who do."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._topic = settings.topic(EVENTS.name)
        self._consumer: Any = None
        self._turn = asyncio.Lock()

    async def close(self) -> None:
        consumer, self._consumer = self._consumer, None
        if consumer is not None:
            await stop_client(consumer)

    async def bounds(self, partition: int) -> tuple[int, int]:
        """The first offset that the broker still has, and the one that comes next."""
        where = TopicPartition(self._topic, partition)
        consumer = await self._started()
        starts = await consumer.beginning_offsets([where])
        return starts[where], (await consumer.end_offsets([where]))[where]

    async def since(self, partition: int, moments: Iterable[datetime], end: int) -> dict[datetime, int]:
        """The first record of each moment or after it; none: `end`, which was asked before, so that nothing comes in between."""
        where = TopicPartition(self._topic, partition)
        consumer = await self._started()
        found = {}
        for moment in set(moments):
            # The client refuses what was before 1970.
            at = (await consumer.offsets_for_times({where: max(0, int(moment.timestamp() * 1000))}))[where]
            found[moment] = end if at is None else min(at.offset, end)
        return found

    async def after(self, partition: int, position: int, account: int) -> Stretch:
        """From a position on that is before the end. Raises what the broker raises, also where it has deleted these records."""
        async with self._turn:
            records = await self._read(TopicPartition(self._topic, partition), position)
        events = events_of(self._topic, partition, records, self._settings.hook_body_limit)
        end = records[-1].offset + 1 if records else position
        return Stretch([event for event in events if event.account == account], end)

    async def _read(self, where: TopicPartition, position: int) -> Sequence[Any]:
        consumer = await self._started()
        if where not in consumer.assignment():
            consumer.assign([where])
        consumer.seek(where, position)
        consumer.resume(where)
        read: list[Any] = []
        size, wait = 0, _PATIENCE
        try:
            while size < self._settings.hook_body_limit and len(read) < _MOST:
                some = (await consumer.getmany(where, timeout_ms=int(wait * 1000), max_records=_STEP)).get(where)
                if not some:
                    break
                read += some
                size += sum(len(record.value or b"") for record in some)
                wait = 0.0
        finally:
            # Or it would fetch on for nobody.
            consumer.pause(where)
        return read

    async def _started(self) -> Any:
        if self._consumer is None:
            self._consumer = await started(new_consumer(self._settings, None, FETCHED))
        return self._consumer
