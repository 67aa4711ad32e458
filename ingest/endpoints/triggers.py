"""Trigger campaigns, one at a time: shown, added and changed, by the rules of `profuse apply`."""

import asyncio
from collections.abc import Mapping
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from dataclasses import dataclass, field
from typing import Any

import asyncpg
import structlog
from pydantic import ConfigDict, Field, ValidationError
from sqlalchemy.ext.asyncio import AsyncConnection

from ingest.endpoints.parameters import SHOWN, CampaignId, FormatJson, Parameters, checked
from ingest.endpoints.repeats import answered_before, keep, reserve
from ingest.endpoints.trigger_parameters import AddTrigger, UpdateTrigger, refused, shown
from ingest.envelope import Answer, success
from ingest.errors import Refused, invalid, not_found
from ingest.http.call import Call
from ingest.sql import configuration
from ingest.sql.pool import Pool
from runtime import engine
from schemas.settings import Settings
from store.configuration import storage
from store.configuration.model import BadDeclaration, Key, Kind, Stored, Values, Wanted
from store.configuration.parts import Trigger, place, reason_of
from store.configuration.planning import plan

log = structlog.get_logger()

# Seconds for each answer: whoever applies a file is waited for, and that takes moments.
_ANSWERED_WITHIN = 8


class GetTrigger(Parameters):
    """Show one trigger campaign."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"token": SHOWN, "id": 8}]})

    id: CampaignId = Field(description="The campaign's number.")
    format: FormatJson = "json"


@dataclass(frozen=True)
class ShowTrigger:
    """The endpoint; it only reads."""

    pool: Pool

    async def answer(self, call: Call) -> Answer:
        request = checked(GetTrigger, call.parameters())
        async with self.pool.acquire() as connection:
            row = await configuration.trigger(connection, call.token.account, request.id)
        if row is None:
            raise not_found("id")
        return success(data=shown(row))


@dataclass(frozen=True)
class ConfigureTrigger:
    """The endpoint of either; what it changes is in force for every request that is sent after its answer."""

    settings: Settings
    model: type[AddTrigger | UpdateTrigger]
    # However many ask, they do not use up the server's connections.
    _turn: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))
    # Where long messages are converted: the threads that everybody shares are not waited for by other accounts.
    _aside: ThreadPoolExecutor = field(default_factory=lambda: ThreadPoolExecutor(2, "triggers"))

    async def answer(self, call: Call) -> Answer:
        request = checked(self.model, call.parameters())
        await self._convert(call.token.account, request)
        async with asyncio.timeout(_ANSWERED_WITHIN), self._turn, engine.transaction(self._connect) as connection:
            # One after the other, so that nobody else takes the number, or the id, meanwhile.
            await storage.wait_for_turn(connection, self.settings.prefix)
            # In the same transaction.
            beside = (await connection.get_raw_connection()).driver_connection
            if (before := await answered_before(beside, call.identified)) is not None:
                return before
            await reserve(beside, call.identified)
            answer = success(id=await self._bring_about(connection, call.token.account, request))
            await keep(beside, call.identified, answer, self.settings.request_id_kept)
        log.info("trigger_configured", account=call.token.account, trigger=answer.fields["id"], path=call.path)
        return answer

    async def _convert(self, account: int, request: AddTrigger | UpdateTrigger) -> None:
        """What is long, and kept until it is asked for again: it may take longer than a transaction may be idle."""
        async with asyncio.timeout(_ANSWERED_WITHIN), self._turn, engine.transaction(self._connect) as connection:
            stored = await storage.load(connection, [account], [])
        # Told when it is its turn: a repeat may have been answered before.
        with suppress(Refused):
            await self._wanted(request, account, stored)

    async def _bring_about(self, connection: AsyncConnection, account: int, request: AddTrigger | UpdateTrigger) -> int:
        """The campaign's number."""
        stored = await storage.load(connection, [account], [])
        number, values = await self._wanted(request, account, stored)
        key = Key(Kind.TRIGGER, account, number)
        try:
            changes = plan({key: Wanted("", values)}, stored)
        except BadDeclaration as error:
            where, _, reason = str(error).splitlines()[0].partition(": ")
            raise refused(where, reason) from None
        for change in changes:
            await storage.write(connection, change)
        return number

    async def _wanted(self, request: AddTrigger | UpdateTrigger, account: int, stored: Stored) -> tuple[int, Values]:
        return await asyncio.get_running_loop().run_in_executor(self._aside, wanted, request, account, stored)

    async def _connect(self) -> asyncpg.Connection:
        return await asyncpg.connect(**self.settings.postgres_options(), timeout=_ANSWERED_WITHIN, command_timeout=_ANSWERED_WITHIN)


def wanted(request: AddTrigger | UpdateTrigger, account: int, stored: Stored) -> tuple[int, Values]:
    """The campaign's number, and what it is to be; refused where that names what is not there, or cannot be."""
    declared = request.declared()
    before: Values = {}
    for kind in (Kind.DATABASE, Kind.RESOURCE):
        named = declared.get(kind.value)
        if named is not None and Key(kind, account, named) not in stored.things:
            raise not_found("list_id" if kind is Kind.DATABASE else "resource_id")
    if isinstance(request, AddTrigger):
        numbers = [int(key.id) for key in stored.things if key.kind is Kind.TRIGGER]
        number = max(numbers, default=0) + 1
        if "database" not in declared:
            declared["database"] = _database(declared.get("resource"), account, stored)
    else:
        number, before = _before(request, account, stored)
        declared = {**before, **declared}
    try:
        return number, Trigger.model_validate({"id": number, **declared}, context={number: before}).values()
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        raise refused(place(*first["loc"]), reason_of(dict(first))) from None


def _database(resource: int | None, account: int, stored: Stored) -> Any:
    """Where none is named."""
    if resource is not None:
        return stored.things[Key(Kind.RESOURCE, account, resource)]["database"]
    databases = [key.id for key in stored.things if key.kind is Kind.DATABASE]
    if len(databases) != 1:
        raise invalid("list_id: required, for the account has not just one database")
    return databases[0]


def _before(request: UpdateTrigger, account: int, stored: Stored) -> tuple[int, Values]:
    found: Mapping[str, Any] | None = stored.things.get(Key(Kind.TRIGGER, account, request.id))
    if found is None:
        raise not_found("id")
    if request.send_channel not in (None, found["channel"]):
        raise invalid(f"send_channel: cannot change from {found['channel']}")
    # An empty text is how none is stored.
    return request.id, {name: None if found[name] == "" else found[name] for name in Trigger.model_fields if name in found}
