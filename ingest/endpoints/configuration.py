"""What an account has configured: its databases with their fields, and its trigger campaigns."""

from dataclasses import dataclass
from typing import Any

import asyncpg
from pydantic import ConfigDict, Field

from ingest.endpoints.parameters import SHOWN, FormatJson, Parameters, checked
from ingest.envelope import Answer, success
from ingest.http.call import Call
from ingest.sql import accounts, configuration
from ingest.sql.configuration import Listed
from ingest.sql.pool import Pool
from schemas.fields import Field as DataField
from schemas.system_fields import SPECIAL_FIELDS, SYSTEM_FIELDS


class Listing(Parameters):
    """A part of a list in the order of its numbers."""

    # What a column of the tables holds.
    from_id: int = Field(1, ge=1, lt=2**31, description="The first number to list.")
    limit: int = Field(1_000, ge=0, le=10_000, description="How many to list at most.")
    format: FormatJson = "json"


class ListDatabases(Listing):
    """List the databases of the account, in the order of their numbers."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"token": SHOWN}]})

    async def found(self, connection: asyncpg.Connection, account: int) -> Listed:
        return await configuration.databases(connection, account, self.from_id, self.limit)


class ListFields(Parameters):
    """List the fields of a database, those that every database has before its own."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"token": SHOWN, "db_id": 1}]})

    db_id: int = Field(description="The database's number.")
    format: FormatJson = "json"


class ListTriggers(Listing):
    """List the trigger campaigns of the account, in the order of their numbers."""

    model_config = ConfigDict(json_schema_extra={"examples": [{"token": SHOWN, "is_active": True}]})

    is_active: bool | None = Field(None, description="Left out: both.")

    async def found(self, connection: asyncpg.Connection, account: int) -> Listed:
        return await configuration.triggers(connection, account, self.from_id, self.limit, active=self.is_active)


@dataclass(frozen=True)
class ShowList:
    """The endpoint of either list; it only reads."""

    pool: Pool
    model: type[ListDatabases | ListTriggers]

    async def answer(self, call: Call) -> Answer:
        request = checked(self.model, call.parameters())
        async with self.pool.acquire() as connection:
            listed = await request.found(connection, call.token.account)
        return success(data=listed.rows, total_count=listed.total)


@dataclass(frozen=True)
class ShowFields:
    """The endpoint; it only reads."""

    pool: Pool

    async def answer(self, call: Call) -> Answer:
        request = checked(ListFields, call.parameters())
        async with self.pool.acquire() as connection:
            database = await accounts.get_database(connection, call.token.account, request.db_id)
        fields = [{"name": name, "type": type_, "system": True, "match": False} for name, type_ in SPECIAL_FIELDS.items()]
        fields += [_shown(name, field, system=True) for name, field in SYSTEM_FIELDS.items()]
        fields += [_shown(name, field, system=False) for name, field in database.fields.items()]
        return success(data=fields, total_count=len(fields))


def _shown(name: str, field: DataField, *, system: bool) -> dict[str, Any]:
    shown = {"name": name, "type": field.type.value, "system": system, "match": field.match}
    return shown | {"options": list(field.options)} if field.options else shown
