"""Accepting a batch: from a call to a row in `batches` and the records to publish."""

import asyncio
import sys
from collections.abc import Sequence
from dataclasses import dataclass
from itertools import islice
from typing import Any

import asyncpg
import structlog

from ingest import accounts, batches, idempotency
from ingest.accounts import Database, Trigger
from ingest.batches import NewBatch
from ingest.calls import Call
from ingest.idempotency import RequestId, being_accepted
from ingest.items import Shared, prepare
from ingest.kafka import Publisher
from ingest.postgres import Pool
from ingest.publishing import Accepted
from ingest.records import Record, record, size
from ingest.requests import SUBSCRIPTION_SIDE, ImportAndStartBatch, check_limits, checked, matched_field
from schemas import metrics
from schemas.failures import ItemFailed
from schemas.ids import new_id
from schemas.matching import Matching
from schemas.settings import Settings

log = structlog.get_logger()

# Items are checked in slices, so that other requests get their turn.
_SLICE = 500


@dataclass(frozen=True)
class Sorted:
    """Items that can be published, and the errors of those that cannot."""

    records: list[tuple[int, Record]]
    rejects: dict[int, dict[str, Any]]

    def size(self) -> int:
        return sum(size(written) for _, written in self.records)


@dataclass(frozen=True)
class Accepting:
    """Checks a call, and writes down what it asks for."""

    settings: Settings
    pool: Pool
    publisher: Publisher

    async def accept(self, call: Call, request_id: RequestId | None) -> Accepted:
        request = checked(ImportAndStartBatch, call.parameters())
        check_limits(request, self.settings.profiles_limit, self.settings.shared_limit)
        async with self.pool.acquire() as connection:
            trigger = await accounts.get_trigger(connection, call.token.account, request.trigger_id)
            resource = await self._resource(connection, call.token.account, trigger, request)
        matched_field(request, trigger.database.fields)
        batch = new_id()
        found = await self._sort(batch, request, _shared(request, trigger.database, self.settings.item_limit, self.settings.placeholders))
        call.share.grow(found.size())
        wait = trigger.wait if request.timeout is None else request.timeout.duration()
        lease = self.settings.accepting_lease
        new = NewBatch(
            batch,
            call.token.account,
            trigger.database.id,
            trigger.id,
            resource,
            request,
            wait,
            found.rejects,
            lease,
            self.settings.batch_kept,
        )
        await self._store(new, request_id)
        metrics.ITEMS.labels("published").inc(new.total - len(found.rejects))
        metrics.ITEMS.labels("failed").inc(len(found.rejects))
        log.info("batch_accepted", batch=batch.hex(), items=new.total, failed=len(found.rejects))
        return Accepted(batch, call.token.id, found.records, call.share.pass_on())

    async def complete(self, call: Call, batch: bytes) -> Accepted:
        """Take over a batch that its gateway left half-published; what it is to do was settled by the first try."""
        async with self.pool.acquire() as connection:
            if not await batches.take_over(connection, batch, self.settings.accepting_lease):
                raise being_accepted()
            left = await batches.unfinished(connection, batch)
        request = checked(ImportAndStartBatch, call.parameters())
        # The body passed all limits when it came first; they may have been lowered since.
        found = await self._sort(batch, request, _shared(request, left.database, sys.maxsize), left.done)
        call.share.grow(found.size())
        log.info("batch_taken_over", batch=batch.hex(), items=len(request.data), done=len(left.done))
        return Accepted(batch, call.token.id, found.records, call.share.pass_on())

    async def _resource(self, connection: asyncpg.Connection, account: int, trigger: Trigger, request: ImportAndStartBatch) -> int | None:
        # Modes without a subscription side ignore it.
        if request.resource_id is None or request.matching not in SUBSCRIPTION_SIDE:
            return None
        return await accounts.get_resource(connection, account, trigger.database.id, request.resource_id)

    async def _sort(self, batch: bytes, request: ImportAndStartBatch, shared: Shared, done: frozenset[int] = frozenset()) -> Sorted:
        found = Sorted([], {})
        items = ((item, piece) for item, piece in enumerate(request.data) if item not in done)
        while part := list(islice(items, _SLICE)):
            for item, piece in part:
                try:
                    prepared = prepare(piece, shared)
                except ItemFailed as failed:
                    found.rejects[item] = failed.entry()
                else:
                    found.records.append((self.publisher.partition(prepared.key), record(batch, item, prepared)))
            await asyncio.sleep(0)
        return found

    async def _store(self, batch: NewBatch, request_id: RequestId | None) -> None:
        async with self.pool.acquire() as connection, connection.transaction():
            await batches.insert(connection, batch)
            if request_id is not None:
                await idempotency.remember(connection, request_id, batch.id, self.settings.request_id_kept)


def _shared(request: ImportAndStartBatch, database: Database, item_limit: int, placeholders: Sequence[str] = ()) -> Shared:
    # Whether it may still be matched by was checked when the batch came first.
    name = request.field_name if request.matching is Matching.CUSTOM else None
    return Shared(
        database.id,
        request.matching,
        request.match_value,
        name,
        database.fields[name] if name else None,
        item_limit,
        frozenset(word.casefold() for word in placeholders),
    )
