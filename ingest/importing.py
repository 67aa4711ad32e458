"""`import_and_start_batch`: from a call to an answer with one entry per item."""

import asyncio
from collections import defaultdict
from dataclasses import dataclass
from itertools import islice
from typing import Any

import asyncpg
import structlog

from ingest import accounts, batches, idempotency, results
from ingest.accounts import Database, Trigger
from ingest.answers import Answer, still_processing, success, unavailable
from ingest.batches import NewBatch
from ingest.calls import Call
from ingest.idempotency import RequestId
from ingest.items import Shared, prepare
from ingest.kafka import Delivery, Placed, Publisher
from ingest.publishing import Accepted, Publishing
from ingest.records import record, size
from ingest.requests import SUBSCRIPTION_SIDE, ImportAndStartBatch, check_limits, checked, matched_field
from ingest.waiting import Waiters
from schemas import metrics
from schemas.failures import ItemFailed
from schemas.ids import new_id
from schemas.settings import Settings

log = structlog.get_logger()

# Items are checked in slices, so that other requests get their turn.
_SLICE = 500


@dataclass(frozen=True)
class Sorted:
    """Items that can be published, and the errors of those that cannot."""

    records: Placed
    rejects: dict[int, dict[str, Any]]

    def size(self) -> int:
        return sum(size(written) for placed in self.records.values() for written in placed)


@dataclass(frozen=True)
class Importing:
    """The endpoint, with everything that it needs."""

    settings: Settings
    pool: asyncpg.Pool
    publisher: Publisher
    publishing: Publishing
    waiters: Waiters
    # Set when the gateway is asked to stop.
    stopping: asyncio.Event

    async def answer(self, call: Call) -> Answer:
        deadline = asyncio.get_running_loop().time() + self.settings.reply_deadline.total_seconds()
        request_id = _request_id(call)
        if request_id is not None:
            async with self.pool.acquire() as connection:
                first = await idempotency.accepted_batch(connection, request_id)
            if first is not None:
                return _repeated(await self._await(first, Delivery(0), deadline), request_id)
        accepted = await self._accept(call, request_id)
        return await self._await(accepted.batch, self.publishing.start(accepted), deadline)

    async def _accept(self, call: Call, request_id: RequestId | None) -> Accepted:
        self.publisher.check()
        request = checked(ImportAndStartBatch, call.parameters())
        check_limits(request, self.settings.profiles_limit, self.settings.shared_limit)
        async with self.pool.acquire() as connection:
            trigger = await accounts.get_trigger(connection, call.token.account, request.trigger_id)
            resource = await self._resource(connection, call.token.account, trigger, request)
        batch = new_id()
        shared = _shared(request, trigger.database, self.settings.item_limit)
        found = await self._sort(batch, request, shared)
        call.share.grow(found.size())
        wait = trigger.wait if request.timeout is None else request.timeout.duration()
        new = NewBatch(batch, call.token.account, trigger.database.id, trigger.id, resource, request, wait, found.rejects)
        await self._store(new, request_id)
        metrics.ITEMS.labels("published").inc(new.total - len(found.rejects))
        metrics.ITEMS.labels("failed").inc(len(found.rejects))
        log.info("batch_accepted", batch=batch.hex(), items=new.total, failed=len(found.rejects))
        return Accepted(batch, found.records, request_id, call.share.pass_on())

    async def _resource(self, connection: asyncpg.Connection, account: int, trigger: Trigger, request: ImportAndStartBatch) -> int | None:
        # Modes without a subscription side ignore it.
        if request.resource_id is None or request.matching not in SUBSCRIPTION_SIDE:
            return None
        return await accounts.get_resource(connection, account, trigger.database.id, request.resource_id)

    async def _sort(self, batch: bytes, request: ImportAndStartBatch, shared: Shared) -> Sorted:
        found = Sorted(defaultdict(list), {})
        items = enumerate(request.data)
        while part := list(islice(items, _SLICE)):
            for item, piece in part:
                try:
                    prepared = prepare(piece, shared)
                except ItemFailed as failed:
                    found.rejects[item] = failed.entry()
                else:
                    found.records[self.publisher.partition(prepared.key)].append(record(batch, item, prepared))
            await asyncio.sleep(0)
        return found

    async def _store(self, batch: NewBatch, request_id: RequestId | None) -> None:
        async with self.pool.acquire() as connection, connection.transaction():
            await batches.insert(connection, batch)
            if request_id is not None:
                kept = self.settings.request_id_kept
                await idempotency.remember(connection, request_id, batch.id, self.settings.accepting_lease, kept)

    async def _await(self, batch: bytes, delivery: Delivery, deadline: float) -> Answer:
        try:
            async with asyncio.timeout_at(deadline):
                await delivery.confirmed.wait()
                finished = await self._finished_or_stopping(batch)
        except TimeoutError:
            finished = False
        if not delivery.confirmed.is_set():
            raise unavailable()
        if not finished:
            return still_processing(batch.hex())
        async with self.pool.acquire() as connection:
            return success(result=await results.all_entries(connection, batch))

    async def _finished_or_stopping(self, batch: bytes) -> bool:
        """Whether every item is answered, or nobody can wait for it any longer."""
        async with asyncio.TaskGroup() as tasks:
            finished = tasks.create_task(self.waiters.wait(batch))
            stopping = tasks.create_task(self.stopping.wait())
            await asyncio.wait((finished, stopping), return_when=asyncio.FIRST_COMPLETED)
            answered = finished.done()
            finished.cancel()
            stopping.cancel()
        return answered


def _shared(request: ImportAndStartBatch, database: Database, item_limit: int) -> Shared:
    field = matched_field(request, database.fields)
    name = request.field_name if field else None
    return Shared(database.id, request.matching, request.match_value, name, field, item_limit)


def _request_id(call: Call) -> RequestId | None:
    if call.request_id is None:
        return None
    return RequestId(call.token.id, idempotency.parse(call.request_id), call.path, call.body_hash)


def _repeated(answer: Answer, request_id: RequestId) -> Answer:
    return Answer(answer.status, answer.fields, {"Duplicate-Request": "true", "Duplicate-Key": request_id.id})
