"""One profile: `profiles/get` shows it with its subscriptions, `profiles/delete` erases it."""

import asyncio
from dataclasses import dataclass, field
from typing import Any

import asyncpg
from pydantic import ConfigDict, Field

from ingest.endpoints.items import normal_value
from ingest.endpoints.parameters import SHOWN, MatchBy, checked, searched_field
from ingest.endpoints.repeats import answered_before, keep, reserve
from ingest.envelope import Answer, success
from ingest.http.call import Call
from ingest.request_errors import conflict, invalid, not_found
from ingest.sql import accounts
from ingest.sql.accounts import Database
from ingest.sql.pool import Pool
from schemas.actions import as_given
from schemas.fields import MatchValue
from schemas.item_errors import ItemFailed, Why
from schemas.matching import MODES, Mode, Own
from schemas.settings import Settings
from store import profiles
from store.erasure import erase, strip
from store.profiles import Endless


class GetProfile(MatchBy):
    """Read one profile with its subscriptions."""

    model_config = ConfigDict(
        json_schema_extra={"examples": [{"token": SHOWN, "db_id": 1, "matching": "email", "email": "ann@example.com"}]}
    )

    db_id: int = Field(description="The database's number.")


class DeleteProfile(GetProfile):
    """Erase one profile for good: its fields, subscriptions, and what its items brought; answers keep its bare id."""


@dataclass(frozen=True)
class ShowProfile:
    """The endpoint; it only reads."""

    pool: Pool

    async def answer(self, call: Call) -> Answer:
        request = checked(GetProfile, call.parameters())
        async with self.pool.acquire() as connection:
            database, profile = await find(connection, call.token.account, request)
            return success(data=await show(connection, database, profile))


@dataclass(frozen=True)
class EraseProfile:
    """The endpoint; what it began and did not finish retention does."""

    settings: Settings
    pool: Pool
    # A walk through the results of some days must not take the connections that everybody else needs.
    walks: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(2))

    async def answer(self, call: Call) -> Answer:
        request = checked(DeleteProfile, call.parameters())
        async with self.pool.acquire() as connection, connection.transaction():
            if (before := await answered_before(connection, call.identified)) is not None:
                return before
            await reserve(connection, call.identified)
            database, profile = await find(connection, call.token.account, request)
            if not await erase(connection, database.id, profile):
                raise not_found("the profile")
            answer = success(profile_id=profile.hex())
            await keep(connection, call.identified, answer, self.settings.request_id_kept)
        async with self.walks, self.pool.acquire() as connection:
            await strip(connection, profile)
        return answer


async def find(connection: asyncpg.Connection, account: int, request: GetProfile) -> tuple[Database, bytes]:
    """The one profile that the index names; refused if it names none or several."""
    database = await accounts.get_database(connection, account, request.db_id)
    mode, own = MODES[request.matching], searched_field(request, database.fields)
    resource = request.resource_id if mode.subscriptions else None
    if resource is not None:
        await accounts.get_resource(connection, account, database.id, resource, mode)
    try:
        found = await profiles.find(connection, database.id, mode, own, _match_value(request, mode, own), resource)
    except Endless:
        raise conflict("more than one profile matches") from None
    if len(found) > 1:
        raise conflict("more than one profile matches")
    if not found:
        raise not_found("the profile")
    return database, found[0]


async def show(connection: asyncpg.Connection, database: Database, profile: bytes) -> dict[str, Any]:
    """The profile with its subscriptions, as it can be imported again; refused if it is not there."""
    found = await profiles.read(connection, database.id, profile)
    if found is None:
        raise not_found("the profile")
    shown = {name: as_given(value) for name, value in found.items()}
    return shown | {"subscriptions": [_as_given(subscription) for subscription in found["subscriptions"]]}


def _as_given(subscription: Any) -> Any:
    """What else is known of it is its only object that may be an update."""
    if not isinstance(subscription, dict) or "custom_fields" not in subscription:
        return subscription
    return subscription | {"custom_fields": as_given(subscription["custom_fields"])}


def _match_value(request: GetProfile, mode: Mode, own: Own | None) -> MatchValue:
    given = request.match_values
    try:
        return mode.together({part.key: normal_value(part.key, given[part.key], part, own) for part in mode.parts if part.key in given})
    except ItemFailed as failed:
        if failed.why is Why.PROFILE_NOT_FOUND:
            raise not_found("the profile") from None
        if failed.why is Why.NO_MATCH_VALUE:
            raise invalid(f"{failed.field}: required with matching {request.matching}") from None
        raise invalid(f"{failed.field}: {failed.why.text}") from None
