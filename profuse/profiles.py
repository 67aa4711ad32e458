"""One profile, from the operator's side: found and erased as the API does it, in any account."""

from dataclasses import dataclass
from typing import Any

import asyncpg

from ingest.endpoints import profiles
from ingest.endpoints.parameters import checked
from ingest.endpoints.profiles import GetProfile
from ingest.request_errors import Refused
from ingest.sql import accounts
from ingest.sql.accounts import Database
from profuse.postgres import plain_connection
from runtime.errors import CannotRun
from schemas.ids import parse_id
from schemas.settings import Settings
from store import erasure

_DATABASE_OF = "SELECT d.id, d.fields::text FROM profiles p JOIN databases d ON d.id = p.database WHERE p.id = $1"


@dataclass(frozen=True)
class Wanted:
    """A profile by its id, or by what it is matched by in a database of an account."""

    id: bytes | None
    account: int
    by: dict[str, Any]


def wanted(
    id_: str | None,
    account: int | None,
    database: int | None,
    email: str | None,
    phone: str | None,
    field: str | None,
    value: str | None,
) -> Wanted:
    """What the options say; raises `CannotRun` where they do not say exactly one thing."""
    ways: list[tuple[str | None, dict[str, Any]]] = [
        (id_, {}),
        (email, {"matching": "email", "email": email}),
        (phone, {"matching": "phone", "phone": phone}),
        (field, {"matching": "custom", "field_name": field, "field_value": value}),
    ]
    given = [by for means, by in ways if means is not None]
    if len(given) != 1:
        raise CannotRun("Which profile? Name its id, or one of --email, --phone, --field with --value.")
    if id_ is not None:
        return Wanted(_id(id_), 0, {})
    if account is None or database is None:
        raise CannotRun("Of which database? Say --account and --database, or name the profile's id.")
    return Wanted(None, account, {"db_id": database, **given[0]})


async def show(settings: Settings, wanted: Wanted) -> dict[str, Any]:
    """The profile with its subscriptions; raises `CannotRun` if there are none or several."""
    async with plain_connection(settings) as connection:
        try:
            return await profiles.show(connection, *await _find(connection, wanted))
        except Refused as refused:
            raise CannotRun(f"{refused.error_text}: {refused.debug}.") from None


async def erase(settings: Settings, shown: str) -> None:
    """The profile of an id as it is shown; raises `CannotRun` if it is gone."""
    profile = _id(shown)
    async with plain_connection(settings) as connection:
        database = await connection.fetchval("SELECT database FROM profiles WHERE id = $1", profile)
        if database is None or not await erasure.erase(connection, database, profile):
            raise CannotRun(f"There is no profile {shown}.")
        await erasure.strip(connection, profile)


async def _find(connection: asyncpg.Connection, wanted: Wanted) -> tuple[Database, bytes]:
    if wanted.id is None:
        return await profiles.find(connection, wanted.account, checked(GetProfile, wanted.by))
    row = await connection.fetchrow(_DATABASE_OF, wanted.id)
    if row is None:
        raise CannotRun(f"There is no profile {wanted.id.hex()}.")
    return accounts.database(row["id"], row["fields"]), wanted.id


def _id(shown: str) -> bytes:
    found = parse_id(shown)
    if found is None:
        raise CannotRun(f"{shown} is no id of a profile, which is 24 hex digits.")
    return found
