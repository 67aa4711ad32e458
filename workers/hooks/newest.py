"""Reads each partition's end, once for all hooks that keep up."""

import asyncio
from collections import defaultdict
from collections.abc import Iterable, Sequence
from typing import Any

import structlog
from aiokafka import ConsumerRebalanceListener, TopicPartition
from aiokafka.errors import OffsetOutOfRangeError

from runtime import kafka
from runtime.wakeup import Wakeup
from schemas.settings import Settings
from schemas.topics import EVENTS
from workers.hooks.events import events_of
from workers.hooks.model import Place
from workers.hooks.window import Window

log = structlog.get_logger()

_POLL = 0.5
_STEP = 256

_Waiting = dict[tuple[int, int], list[tuple[Place, asyncio.Future[None]]]]


class Newest(ConsumerRebalanceListener):  # type: ignore[misc]  # aiokafka has no types
    """The windows of the partitions that are ours; the broker says which, to a member of the group."""

    def __init__(self, settings: Settings, consumer: Any) -> None:
        self._limit = settings.hooks_bytes // 4
        self._largest = settings.hook_body_limit
        self._topic = settings.topic(EVENTS.name)
        self._consumer = consumer
        self._windows: dict[int, Window] = {}
        self._waiting: _Waiting = defaultdict(list)
        # None until the broker has said it.
        self.owned: frozenset[int] | None = None
        self.changed = asyncio.Event()
        self._wakeup = Wakeup()

    def on_partitions_revoked(self, revoked: Iterable[TopicPartition]) -> None:
        # All are revoked whenever somebody comes or goes, and most come back: their couriers go on meanwhile, under their fences.
        return

    def on_partitions_assigned(self, assigned: Iterable[TopicPartition]) -> None:
        self.owned = frozenset(partition.partition for partition in assigned)
        for partition in assigned:
            window = self._windows.get(partition.partition)
            # Without a position `getmany` fails at once, paused or not.
            self._consumer.seek(partition, 0 if window is None else window.end)
            if window is None:
                self._consumer.pause(partition)
        for number in self._windows.keys() - self.owned:
            del self._windows[number]
        self.changed.set()

    def window(self, partition: int) -> Window | None:
        return self._windows.get(partition)

    def begin(self, partition: int, start: int) -> None:
        """Read it from here on, unless it is read already, or no longer ours."""
        where = TopicPartition(self._topic, partition)
        if partition not in self._windows and where in self._consumer.assignment():
            self._windows[partition] = Window(start)
            self._consumer.seek(where, start)
            self._consumer.resume(where)

    def end(self, partition: int) -> None:
        """Nobody wants its events any more."""
        where = TopicPartition(self._topic, partition)
        if self._windows.pop(partition, None) is not None and where in self._consumer.assignment():
            self._consumer.pause(where)

    async def news(self, place: Place, account: int) -> None:
        """Returns when the account's next event is there, the place being put before it."""
        told: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        waiting = self._waiting[place.partition, account]
        waiting.append((place, told))
        place.is_at_end = True
        try:
            await told
        finally:
            place.is_at_end = False
            if (place, told) in waiting:
                waiting.remove((place, told))

    async def leave(self, stop: asyncio.Event) -> None:
        """Nobody who is told to stop waits for records, or for other partitions."""
        await self._wakeup.ring_when(stop)
        self.changed.set()

    async def read(self) -> None:
        """What has come, of all partitions that are read. Raises what the broker raises."""
        try:
            returned = await kafka.read(self._consumer, _POLL, _STEP, self._wakeup)
        except OffsetOutOfRangeError as error:
            self._begin_anew(error)
            return
        for partition, records in returned.items():
            self._add(partition.partition, records)

    def _begin_anew(self, error: OffsetOutOfRangeError) -> None:
        """The topic lost these records, or was made anew; the hooks find their places again."""
        for partition in error.args[0]:
            log.error("events_out_of_range", topic=self._topic, partition=partition.partition)
            self.end(partition.partition)
        self.changed.set()

    def _add(self, partition: int, records: Sequence[Any]) -> None:
        # Records may still come of one that is paused or no longer ours.
        window = self._windows.get(partition)
        ahead = [record for record in records if window is not None and record.offset >= window.end]
        if window is None or not ahead:
            return
        events = events_of(self._topic, partition, ahead, self._largest)
        limit = self._limit // max(1, len(self._windows))
        for account, first in window.add(events, ahead[-1].offset + 1, limit).items():
            self._tell(partition, account, first)

    def _tell(self, partition: int, account: int, first: int) -> None:
        for place, told in self._waiting.pop((partition, account), ()):
            # At once: whoever stores places must not take it for one that has looked at this event.
            place.position, place.is_at_end = max(place.position, first), False
            if not told.done():
                told.set_result(None)
