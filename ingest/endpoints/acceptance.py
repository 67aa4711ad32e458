"""Accepting a batch: from a call to a row in `batches` and the records to publish."""

import sys
import time
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import timedelta
from typing import Any

import structlog
from msgspec import Raw

from ingest.admission.budget import Share
from ingest.endpoints.batch_parameters import Asked, BatchRequest
from ingest.endpoints.items import Shared, prepare, root_values
from ingest.endpoints.parameters import MatchBy, checked, searched_field
from ingest.http import attachments
from ingest.http.call import Call
from ingest.http.interleaving import in_turns
from ingest.publish.producer import Producer
from ingest.publish.publication import Accepted
from ingest.publish.record import Headers, Record, publishable, record, size
from ingest.request_errors import being_accepted, invalid
from ingest.sql import accounts, batches
from ingest.sql.accounts import Database
from ingest.sql.batches import File, NewBatch
from ingest.sql.pool import Pool
from ingest.sql.request_ids import RequestId
from runtime.tracing import traces
from schemas import metrics
from schemas.channels import channel
from schemas.fields import Field
from schemas.ids import ResourceId, TriggerId, TriggerNumber, new_id
from schemas.item_errors import ItemFailed
from schemas.matching import MODES, Own
from schemas.settings import KIB, Settings

log = structlog.get_logger()

# Seconds for which items are checked before other requests get their turn: what one costs, its length does not say.
_SLICE = 0.003
# Bytes that a request holds; for larger ones others are not made to wait.
_SMALL = 64 * KIB
# What Python takes up for an item's error, as measured.
_REJECT = 400


@dataclass
class Sorted:
    """Items that can be published, the errors of those that cannot, and the bytes that both take up."""

    records: list[tuple[int, Record]]
    rejects: dict[int, dict[str, Any]]
    size: int = 0
    # What each record carries of its request's trace.
    carried: Headers = ()

    def add(self, partition: int, written: Record) -> None:
        self.records.append((partition, written))
        self.size += size(written)

    def reject(self, item: int, failed: ItemFailed) -> None:
        self.rejects[item] = failed.entry()
        self.size += _REJECT


@dataclass(frozen=True)
class Target:
    """Where the items go: a database; the campaign that starts for each, and how long it waits; the resource to search in."""

    database: Database
    trigger: TriggerId | None = None
    wait: timedelta = timedelta()
    resource: ResourceId | None = None


@dataclass(frozen=True)
class Acceptance:
    """Checks a call, and writes down what it asks for."""

    settings: Settings
    pool: Pool
    producer: Producer
    model: type[BatchRequest]

    async def accept(self, call: Call, request_id: RequestId | None) -> Accepted:
        asked = checked(self.model, call.parameters()).asked()
        asked.check_limits(self.settings)
        target = await self._target(call.token.account, asked)
        files = await self._files(asked, call)
        batch = new_id()
        shared = self._shared(asked, target.database, self.settings.item_limit, self.settings.placeholders)
        found = await self._sort(batch, asked, shared, call.share)
        new = NewBatch(
            id=batch,
            account=call.token.account,
            database=target.database.id,
            trigger=target.trigger,
            resource=target.resource,
            total=len(asked.data),
            settings=asked.settings(),
            content=asked.content,
            custom_data=asked.custom_data,
            wait=target.wait if asked.timeout is None else asked.timeout.duration(),
            rejects=found.rejects,
            lease=self.settings.accepting_lease,
            kept=self.settings.batch_kept,
            files=files,
            request=request_id,
            remembered=self.settings.request_id_kept,
        )
        if not await self._store(new, call.share.size):
            raise being_accepted()
        metrics.ITEMS.labels("published").inc(new.total - len(found.rejects))
        metrics.ITEMS.labels("failed").inc(len(found.rejects))
        log.info("batch_accepted", batch=batch.hex(), items=new.total, failed=len(found.rejects))
        traces().accepted(batch.hex(), new.total, len(found.rejects))
        return Accepted(batch, call.token.id, found.records, call.share.pass_on())

    async def complete(self, call: Call, batch: bytes) -> Accepted:
        """Take over a batch that its gateway left half-published; what it is to do was settled by the first try."""
        async with self.pool.acquire() as connection:
            if not await batches.take_over(connection, batch, self.settings.accepting_lease):
                raise being_accepted()
            left = await batches.unfinished(connection, batch)
        asked = checked(self.model, call.parameters()).asked()
        # The items passed their limit when they came first; it may have been lowered since.
        found = await self._sort(batch, asked, self._shared(asked, left.database, sys.maxsize), call.share, left.done)
        if found.rejects:
            # What was good at the first try and is not any more is answered all the same, or the batch would never end.
            async with self.pool.acquire() as connection, connection.transaction():
                await batches.reject(connection, batch, found.rejects)
        log.info("batch_taken_over", batch=batch.hex(), items=len(asked.data), done=len(left.done))
        traces().accepted(batch.hex(), len(asked.data), len(found.rejects))
        return Accepted(batch, call.token.id, found.records, call.share.pass_on())

    async def _target(self, account: int, asked: Asked) -> Target:
        """Refused if what is named is not there, or does not fit together."""
        named = asked.trigger_id
        target = await self._database(account, asked) if named is None else await self._campaign(account, named, asked)
        searched_field(asked.match, target.database.fields)
        mode, resource = MODES[asked.match.matching], asked.match.resource_id
        # Modes without a subscription side ignore it.
        if resource is None or not mode.subscriptions:
            return target
        async with self.pool.acquire() as connection:
            return replace(target, resource=await accounts.get_resource(connection, account, target.database.id, resource, mode))

    async def _campaign(self, account: int, named: TriggerNumber, asked: Asked) -> Target:
        trigger = accounts.startable(await self.pool.together(accounts.find_triggers, (account, named)))
        if asked.db_id is not None:
            async with self.pool.acquire() as connection:
                await accounts.check_database(connection, account, asked.db_id, trigger)
        if asked.attach and not channel(trigger.channel).files:
            raise invalid(f"attach: the trigger's channel is {trigger.channel}, which has no files")
        return Target(trigger.database, trigger.id, trigger.wait)

    async def _database(self, account: int, asked: Asked) -> Target:
        async with self.pool.acquire() as connection:
            database = await accounts.get_database(connection, account, asked.db_id or 0)
            if asked.subscribed_to is not None:
                await accounts.get_resource(connection, account, database.id, asked.subscribed_to)
        return Target(database)

    async def _files(self, asked: Asked, call: Call) -> list[File]:
        uris = [attached.data for attached in asked.attach]
        await call.share.grow(call.share.size + sum(len(uri.written) for uri in uris) * 3 // 4)
        contents = await in_turns(attachments.decoded(uris), call.share)
        files = [File(entry.name, entry.type, content) for entry, content in zip(asked.attach, contents, strict=True)]
        # What they were written in is not held while they are stored.
        asked.attach.clear()
        call.root.values.clear()
        return files

    async def _sort(self, batch: bytes, asked: Asked, shared: Shared, share: Share, done: frozenset[int] = frozenset()) -> Sorted:
        found, before = Sorted([], {}, carried=traces().header()), share.size
        paused = time.monotonic()
        for item, raw in enumerate(asked.data):
            if item not in done:
                self._sort_one(found, batch, item, raw, shared)
            if time.monotonic() - paused > _SLICE:
                await self._hold(found, before, share)
                await share.others_first()
                paused = time.monotonic()
        await self._hold(found, before, share)
        return found

    def _sort_one(self, found: Sorted, batch: bytes, item: int, raw: Raw, shared: Shared) -> None:
        try:
            prepared = prepare(raw, shared)
            found.add(self.producer.partition(prepared.key), publishable(record(batch, item, prepared, found.carried)))
        except ItemFailed as failed:
            found.reject(item, failed)

    async def _hold(self, found: Sorted, before: int, share: Share) -> None:
        # Else a match value of the root's could grow with the number of items.
        if found.size > self.settings.bodies_limit:
            raise invalid(f"data: more than {self.settings.bodies_limit} bytes of messages")
        await share.grow(before + found.size)

    def _shared(self, asked: Asked, database: Database, item_limit: int, placeholders: Sequence[str] = ()) -> Shared:
        own = _searched(asked.match, database.fields)
        words = frozenset(word.casefold() for word in placeholders)
        shared = Shared(asked.shape, database.id, asked.match.matching, {}, own, item_limit, self.settings.custom_data_limit, words)
        return replace(shared, roots=root_values(asked.match.match_values, shared))

    async def _store(self, batch: NewBatch, size: int) -> bool:
        """Whether it is accepted; small ones together, so that one commit is for all who come at once."""
        if size <= _SMALL and not batch.files:
            return await self.pool.together(batches.insert, batch)
        async with self.pool.acquire() as connection:
            return await batches.insert_with_files(connection, batch)


def _searched(match: MatchBy, fields: Mapping[str, Field]) -> Own | None:
    """What is searched by, also where it is not any more since the batch came first: that is for the matcher to say."""
    try:
        return MODES[match.matching].own(match.own_field, fields)
    except ItemFailed:
        name = match.own_field or ""
        return Own(name, fields[name]) if name in fields else None
