"""The loop of a worker: take partitions over, read, settle what was read; and rest while the world is away."""

import asyncio
import time
from collections.abc import Sequence
from contextlib import suppress
from typing import Any, Generic

import asyncpg
import structlog

from runtime.kafka import AWAY, BrokerUnavailable, new_consumer, stop_client
from runtime.postgres import POSTGRES_ERRORS
from runtime.producer import Publisher
from runtime.racing import rest
from runtime.schema import OldTables
from runtime.subscribing import TopicMissing, find, subscribe
from runtime.wakeup import Wakeup
from schemas import metrics
from schemas.settings import Settings
from schemas.topics import M
from store.positions import Partition
from workers.exactly_once.advice import advice, shown
from workers.exactly_once.backoff import Backoff
from workers.exactly_once.chunks import Entry, by_partition
from workers.exactly_once.circuit_breaker import LineStopped
from workers.exactly_once.committing import Committing
from workers.exactly_once.gathering import gathering
from workers.exactly_once.handler import Handler
from workers.exactly_once.lag_offsets import LagOffsets
from workers.exactly_once.liveness import Furthest, Mark, watch
from workers.exactly_once.outbox import Outbox
from workers.exactly_once.ownership import Ownership
from workers.exactly_once.probes import Probes
from workers.exactly_once.reading import Reading
from workers.exactly_once.trials import Suspects, Trials
from workers.exactly_once.trouble import OUT_OF_TIME, Culprit, Overlong

log = structlog.get_logger()

# The world is away, or the code is broken: everything is let go, and taken over again after a pause.
RETRIED = (Culprit, LineStopped, Overlong, TopicMissing, OldTables, *AWAY, *POSTGRES_ERRORS)

FIND_EVERY = 5.0
# A server that has fallen silent is not waited for.
GOODBYE = 1.0
STUCK = 60.0


class Stream(Generic[M]):
    """One worker's exactly-once reading of its room's topic."""

    def __init__(self, settings: Settings, group: str, handler: Handler[M], pool: asyncpg.Pool, publisher: Publisher) -> None:
        self._settings = settings
        self._group = group
        self._pool = pool
        self._publisher = publisher
        self._topic = settings.topic(handler.topic.name)
        self._reads = handler.topic
        self._outbox = Outbox(publisher)
        self._committing = Committing(settings, handler, pool, self._outbox)
        self.probes = Probes(settings, pool)
        # Made when the group is joined.
        self._consumer: Any = None
        self._owned: Ownership | None = None
        self._reading: Reading[M] | None = None
        # Told to stop or given partitions, it waits for no record.
        self._wakeup = Wakeup()
        self._trouble = "has not joined its consumer group yet"
        self._on_purpose = False
        self._backoff = Backoff(settings.chunk)
        self._trials: Trials[M] = Trials()
        self._suspects = Suspects(settings.chunk)
        self._furthest = Furthest()
        self._turned = time.monotonic()
        self._found = 0.0
        self._lag_offsets = LagOffsets()

    def alive(self) -> list[str]:
        """Problems with progress: the loop must turn, whatever the world does."""
        still = time.monotonic() - self._turned
        return [f"the loop of {self._topic} has not turned for {still:.0f} s"] if still > STUCK else []

    def problems(self) -> list[str]:
        """What keeps partitions from moving."""
        held = {} if self._owned is None else self._owned.held
        told = [f"{partition.topic}/{partition.partition}: {reason}" for partition, reason in held.items()]
        return told + ([self._trouble] if self._trouble else [])

    def standing(self) -> dict[Partition, Mark]:
        """Where the partitions stand that should move, and how far the chunk at hand has come."""
        if self._on_purpose or self._owned is None:
            return {}
        come = self._furthest.come
        return {(each.topic, each.partition): (at, come) for each, at in self._owned.standing().items()}

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set; the chunk at hand is finished. Raises `TopicChanged` and `Stuck`."""
        async with asyncio.TaskGroup() as tasks:
            works = watch(self._settings, self.standing), self.probes.watch(), self._wakeup.ring_when(stop)
            beside = [tasks.create_task(work) for work in works]
            await self._work(stop)
            for each in beside:
                each.cancel()

    async def _work(self, stop: asyncio.Event) -> None:
        try:
            while not stop.is_set():
                self._turned = time.monotonic()
                try:
                    owned = self._owned or await self._join()
                    if pause := await self._turn(owned):
                        await rest(stop, pause)
                except RETRIED as error:
                    self._fall_back(error)
                    if self._owned is None:
                        await rest(stop, self._backoff.pause)
            await self._say_goodbye()
        finally:
            # Asked once more, it would open a connection that nobody closes.
            self.probes.consumer = None
            await self._outbox.aclose()
            if self._consumer is not None:
                await stop_client(self._consumer)

    async def _say_goodbye(self) -> None:
        """Not after an error: it may be a message's doing."""
        if self._owned is not None:
            with suppress(BrokerUnavailable, *POSTGRES_ERRORS):
                async with asyncio.timeout(GOODBYE):
                    await self._outbox.confirmed()
                    await self._owned.let_go()

    async def _join(self) -> Ownership:
        consumer = new_consumer(self._settings, self._group)
        owned = Ownership(self._topic, consumer, self._pool, self._publisher, self._wakeup)
        try:
            await consumer.start()
            await subscribe(consumer, self._topic, owned, self._pool)
        except (TopicMissing, OldTables, *AWAY, *POSTGRES_ERRORS):
            await stop_client(consumer)
            raise
        self._consumer, self._owned = consumer, owned
        self._reading = Reading(self._settings, self._reads, consumer, self._wakeup)
        self.probes.consumer = consumer
        return owned

    async def _turn(self, owned: Ownership) -> float:
        """Seconds to rest before the next one."""
        resting = self._backoff.resting
        if owned.waiting and not resting:
            self._suspects.add(await owned.take_over())
        await self._find(resting)
        messages, seconds = await self._work_off(owned)
        # Not before the chunk is settled: what stopped it last time may stop it again.
        if not owned.waiting and not resting:
            self._trouble, self._on_purpose = "", False
        lag = owned.lag()
        metrics.LAG.labels(self._topic).set(lag)
        self._lag_offsets.give(self._consumer, owned.positions)
        return gathering(messages, lag, seconds)

    async def _find(self, resting: bool) -> None:
        """Who has no partition may have too many neighbours, or no topic."""
        if not (resting or self._consumer.assignment()) and time.monotonic() - self._found > FIND_EVERY:
            await find(self._consumer, self._topic)
            self._found = time.monotonic()

    async def _work_off(self, owned: Ownership) -> tuple[int, float]:
        """Read a chunk, and settle it; how many messages it had, and the seconds that these took."""
        partitions, limit = self._suspects.next(owned, self._backoff.limit)
        chunk = [] if self._reading is None else await self._reading.chunk(owned, limit, partitions)
        if chunk and limit == 1:
            await owned.mark(chunk[0].record)
        if chunk:
            began = time.monotonic()
            await self._settle(self._trials.judged(chunk, owned.deaths), owned)
            self._suspects.passed(partitions)
            return len(chunk), time.monotonic() - began
        # Nobody else would see that it failed.
        await self._outbox.confirmed()
        return 0, 0.0

    async def _settle(self, chunk: Sequence[Entry[M]], owned: Ownership) -> None:
        self._furthest.begin()
        try:
            seconds = await self._committing.settle(chunk, owned, self._count)
        except (Culprit, Overlong, *OUT_OF_TIME) as error:
            # What is a culprit only beside others is found when fewer are tried.
            if isinstance(error, Overlong):
                self._trials.failed(chunk)
            self._backoff.overlong(len(chunk))
            # Apart from the others: their chunks pass, and the limit would never come down to one message.
            self._suspects.add(partition for partition, _ in by_partition(chunk))
            raise
        self._furthest.arrived()
        self._trials.passed(chunk)
        self._backoff.settled(len(chunk), seconds)

    def _count(self, messages: int) -> None:
        self._furthest.count(messages)
        self._turned = time.monotonic()

    def _fall_back(self, error: Exception) -> None:
        """The world is away, or the outcome of a commit is unknown: start again from the rows, after a pause."""
        why, todo = shown(error), advice(error)
        self._trouble = f"{why}; {todo}"
        # A new process would be told the same.
        self._on_purpose = isinstance(error, LineStopped | Culprit | asyncpg.PostgresError)
        self._backoff.failed(error)
        tell, event = (log.error, "line_stopped") if isinstance(error, LineStopped | Culprit) else (log.warning, "stream_waits")
        tell(event, topic=self._topic, why=why, todo=todo, seconds=self._backoff.pause)
        if self._owned is not None:
            self._owned.release_all()
