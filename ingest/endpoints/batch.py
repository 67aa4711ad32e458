"""Any request that brings items: waiting for how each of them ended, or for a task id only."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

from ingest.admission.backpressure import Backpressure
from ingest.admission.budget import NoRoom, Share
from ingest.endpoints.acceptance import Acceptance
from ingest.endpoints.batch_parameters import BatchRequest
from ingest.endpoints.completion_poll import Waiters
from ingest.endpoints.making import Making
from ingest.envelope import Answer, still_processing, success
from ingest.http.call import Call
from ingest.publish.partition_queue import Delivery
from ingest.publish.producer import Producer
from ingest.publish.publication import BatchPublisher
from ingest.request_errors import unavailable
from ingest.sql import request_ids, results
from ingest.sql.pool import Pool
from ingest.sql.request_ids import RequestId
from ingest.sql.results import Entry, Finished
from runtime.racing import rest
from schemas.settings import Settings

# Seconds; a database that is away by now keeps nobody from his answer.
_NOTED_WITHIN = 1.0


@dataclass(frozen=True)
class Tools:
    """What endpoints are made of."""

    settings: Settings
    pool: Pool
    producer: Producer
    publisher: BatchPublisher
    backpressure: Backpressure
    waiters: Waiters
    making: Making = field(default_factory=Making)


@dataclass(frozen=True)
class BatchEndpoint:
    """An endpoint of the family."""

    tools: Tools
    model: type[BatchRequest]
    # Answer with a task id as soon as the broker has everything.
    as_task: bool

    async def answer(self, call: Call) -> Answer:
        deadline = asyncio.get_running_loop().time() + self.tools.settings.reply_deadline.total_seconds()
        request_id, total = call.identified, self._total(call)
        if request_id is not None:
            first = request_ids.first_try(await self.tools.pool.together(request_ids.find, request_id), request_id)
            if first is not None:
                delivery = Delivery.noted_before() if first.published else await self._complete(call, first.batch)
                call.let_go()
                return (await self._await_named(first.batch, delivery, deadline, call.share, total)).repeated(request_id.id)
        batch, delivery = await self._begin(call, request_id)
        call.let_go()
        awaiting = self._await if request_id is None else self._await_named
        return await awaiting(batch, delivery, deadline, call.share, total)

    @property
    def _acceptance(self) -> Acceptance:
        return Acceptance(self.tools.settings, self.tools.pool, self.tools.producer, self.model)

    def _total(self, call: Call) -> int:
        return 1 if self.model.ONE else len(call.items or ())

    async def _begin(self, call: Call, request_id: RequestId | None) -> tuple[bytes, Delivery]:
        self.tools.producer.check()
        with self.tools.backpressure.admitted(call.token, self._total(call), call.share):
            accepted = await self._acceptance.accept(call, request_id)
            return accepted.batch, self.tools.publisher.start(accepted)

    async def _complete(self, call: Call, batch: bytes) -> Delivery:
        self.tools.producer.check()
        return self.tools.publisher.start(await self._acceptance.complete(call, batch))

    async def _await_named(self, batch: bytes, delivery: Delivery, deadline: float, share: Share, total: int) -> Answer:
        """Whoever is answered may repeat his request at once, and is not to be told that it is being published."""
        answer = await self._await(batch, delivery, deadline, share, total)
        await rest(delivery.noted, _NOTED_WITHIN)
        return answer

    async def _await(self, batch: bytes, delivery: Delivery, deadline: float, share: Share, total: int) -> Answer:
        finished: Finished | None = None
        try:
            async with asyncio.timeout_at(deadline):
                await delivery.confirmed.wait()
                if not self.as_task:
                    finished = await self.tools.waiters.wait(batch)
        except TimeoutError:
            pass
        if not delivery.confirmed.is_set():
            raise unavailable()
        if self.as_task:
            return success(data={"task_id": batch.hex()})
        if finished is None:
            return still_processing(batch.hex())
        try:
            await share.grow(total * results.SIZE_OF_ENTRY)
        except NoRoom:
            # What was accepted is not to be sent again.
            return still_processing(batch.hex())
        entries = finished.entries or await self._entries(batch, total)
        return _finished(batch, entries, one=self.model.ONE)

    async def _entries(self, batch: bytes, total: int) -> Sequence[Entry | None]:
        async with self.tools.pool.acquire() as connection:
            return await results.entries(connection, batch, 0, total)


def _finished(batch: bytes, entries: Sequence[Entry | None], *, one: bool = False) -> Answer:
    """How a batch ended; of one profile at the root: its failure is that of the request, which was run all the same."""
    answered = [entry for entry in entries if entry is not None]
    # A replay of a dead letter takes its item's entry back until it has another one.
    if len(answered) < len(entries):
        return still_processing(batch.hex())
    if not one:
        return success(result=answered)
    (entry,) = answered
    return Answer(entry["error"], entry) if "error" in entry else success(**entry)
