"""Publishing accepted batches: tasks that outlive their requests."""

import asyncio
from dataclasses import dataclass
from datetime import timedelta

from ingest.admission.backpressure import Backpressure
from ingest.admission.budget import Share
from ingest.publish.fair_queue import FairQueue, Records
from ingest.publish.partition_queue import Delivery
from ingest.publish.producer import Producer
from ingest.sql import batches
from ingest.sql.pool import Pool
from runtime.crash_points import crash_point
from runtime.postgres import POSTGRES_ERRORS
from runtime.retrying import tell, until_it_is_back

_RETRY_PAUSE = 0.5
# A lease is renewed twice before it would end.
_RENEWALS = 3


@dataclass(frozen=True)
class Accepted:
    """A batch whose row is written, and what the broker must get."""

    batch: bytes
    # Whose turn it takes.
    token: int
    records: Records
    share: Share


class BatchPublisher:
    """Brings accepted batches to the broker and notes when it has confirmed them."""

    def __init__(self, pool: Pool, producer: Producer, queue: FairQueue, lease: timedelta, tasks: asyncio.TaskGroup) -> None:
        self._pool = pool
        self._producer = producer
        self._queue = queue
        self._lease = lease
        self._tasks = tasks
        self._running: set[asyncio.Task[None]] = set()

    def start(self, accepted: Accepted) -> Delivery:
        """A client that hangs up stops nothing: the batch is accepted."""
        delivery = Delivery(len(accepted.records))
        self._queue.add(accepted.token, accepted.records, delivery)
        task = self._tasks.create_task(self._finish(accepted.batch, accepted.share, delivery))
        self._running.add(task)
        task.add_done_callback(self._running.discard)
        return delivery

    async def run(self, backpressure: Backpressure, stopping: asyncio.Event) -> None:
        """Hand slices to the writers, not too far ahead of the matchers."""
        while True:
            await self._queue.filled.wait()
            await backpressure.near_enough(stopping)
            await self._producer.publish(*self._queue.take())

    async def drain(self) -> None:
        """Wait until everything that was accepted is published and noted."""
        while self._running:
            await asyncio.wait(self._running)

    def abandon(self) -> None:
        for task in self._running:
            task.cancel()

    async def _finish(self, batch: bytes, share: Share, delivery: Delivery) -> None:
        # Without the records: once the broker has them nobody holds them, however long the note takes.
        try:
            crash_point("gateway:accepted")
            while not await _confirmed(delivery, self._lease / _RENEWALS):
                await self._renew(batch)
            share.release()
            crash_point("gateway:confirmed")
            await self._note(batch)
            delivery.noted.set()
            crash_point("gateway:noted")
        except POSTGRES_ERRORS as error:
            # A fault of ours costs this batch, whose lease ends: a repeat publishes it anew.
            tell("publishing_given_up", error, batch=batch.hex())
        finally:
            share.release()

    async def _renew(self, batch: bytes) -> None:
        try:
            async with self._pool.acquire() as connection:
                await batches.renew(connection, batch, self._lease)
        except POSTGRES_ERRORS as error:
            tell("lease_not_renewed", error, batch=batch.hex())

    async def _note(self, batch: bytes) -> None:
        # Until it is noted, a repeat would be told to wait for the publishing.
        async for attempt in until_it_is_back("publishing_not_noted", _RETRY_PAUSE, batch=batch.hex()):
            with attempt:
                await self._pool.together(batches.mark_published, batch)


async def _confirmed(delivery: Delivery, within: timedelta) -> bool:
    try:
        async with asyncio.timeout(within.total_seconds()):
            return await delivery.confirmed.wait()
    except TimeoutError:
        return False
