"""Trigger campaigns, one at a time: shown, added and changed, by the rules of `profuse apply`."""

import asyncio
from contextlib import suppress
from dataclasses import dataclass, field

import asyncpg
import structlog
from pydantic import ConfigDict, Field
from sqlalchemy.ext.asyncio import AsyncConnection

from ingest.endpoints.declaring import Made, declare
from ingest.endpoints.making import Making, is_quick
from ingest.endpoints.parameters import SHOWN, CampaignId, FormatJson, Parameters, checked
from ingest.endpoints.repeats import answered_before, keep, reserve
from ingest.endpoints.trigger_parameters import AddTrigger, UpdateTrigger, refused, shown
from ingest.envelope import Answer, success
from ingest.http.call import Call
from ingest.request_errors import Refused, not_found, unavailable
from ingest.sql import configuration
from ingest.sql.accounts import NUMBERS
from ingest.sql.pool import Pool
from runtime import engine
from schemas.settings import Settings
from store.configuration import storage
from store.configuration.model import BadDeclaration, Key, Kind, Wanted
from store.configuration.planning import plan

log = structlog.get_logger()

# Seconds for each answer: whoever applies a file is waited for, and that takes moments.
_ANSWERED_WITHIN = 8
# How often a campaign may be changed meanwhile.
_TRIES = 3


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


class _Changed(Exception):
    """The campaign, or what it names, is another one than that of which its columns were made."""


@dataclass(frozen=True)
class ConfigureTrigger:
    """The endpoint of either; what it changes is in force for every request that is sent after its answer."""

    settings: Settings
    making: Making
    model: type[AddTrigger | UpdateTrigger]
    # However many ask, they do not use up the server's connections.
    _turn: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(1))

    async def answer(self, call: Call) -> Answer:
        request = checked(self.model, call.parameters())
        for _ in range(_TRIES):
            made = await self._made_before(call, request)
            with suppress(_Changed):
                return await self._configured(call, request, made)
        raise unavailable("id: the campaign is being changed by others")

    async def _configured(self, call: Call, request: AddTrigger | UpdateTrigger, made: Made | None) -> Answer:
        async with asyncio.timeout(_ANSWERED_WITHIN), self._turn, engine.transaction(self._connect) as connection:
            # One after the other, so that nobody else takes the number, or the id, meanwhile.
            await storage.wait_for_turn(connection, self.settings.prefix)
            beside = await _beside(connection)
            if (before := await answered_before(beside, call.identified)) is not None:
                return before
            await reserve(beside, call.identified)
            answer = success(id=await self._bring_about(connection, call.token.account, request, made))
            await keep(beside, call.identified, answer, self.settings.request_id_kept)
        log.info("trigger_configured", account=call.token.account, trigger=answer.fields["id"], path=call.path)
        return answer

    async def _made_before(self, call: Call, request: AddTrigger | UpdateTrigger) -> Made | None:
        """By what is stored before the transaction, as converting may take longer than that may be idle."""
        account = call.token.account
        async with asyncio.timeout(_ANSWERED_WITHIN), self._turn, engine.transaction(self._connect) as connection:
            # A repeat needs no turn of its account, which it might not get.
            if await answered_before(await _beside(connection), call.identified) is not None:
                return None
            stored = await storage.load(connection, [account], [], whole=_meant(request))
        # Told when it is its turn: a repeat may have been answered meanwhile.
        try:
            declared = declare(request, account, stored)
        except Refused:
            return None
        return await self.making.made(account, *declared)

    async def _bring_about(self, connection: AsyncConnection, account: int, request: AddTrigger | UpdateTrigger, made: Made | None) -> int:
        """The campaign's number."""
        stored = await storage.load(connection, [account], [], whole=_meant(request))
        number, declared = declare(request, account, stored)
        if made is None or made.declared != declared:
            # What was changed meanwhile stays as it is now; nobody else waits for what takes seconds.
            if not is_quick(declared):
                raise _Changed
            made = await self.making.made(account, number, declared)
        values = made.values()
        key = Key(Kind.TRIGGER, account, number)
        try:
            changes = plan({key: Wanted("", values)}, stored)
        except BadDeclaration as error:
            where, _, reason = str(error).splitlines()[0].partition(": ")
            raise refused(where, reason) from None
        for change in changes:
            await storage.write(connection, change)
        return number

    async def _connect(self) -> asyncpg.Connection:
        return await asyncpg.connect(**self.settings.postgres_options(), timeout=_ANSWERED_WITHIN, command_timeout=_ANSWERED_WITHIN)


async def _beside(connection: AsyncConnection) -> asyncpg.Connection:
    """In the same transaction."""
    return (await connection.get_raw_connection()).driver_connection


def _meant(request: AddTrigger | UpdateTrigger) -> list[int]:
    """The campaign that is to be read whole."""
    return [request.id] if isinstance(request, UpdateTrigger) and request.id in NUMBERS else []
