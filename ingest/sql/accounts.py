"""SQL of what `profuse apply` configures; every look-up stays within one account."""

import hmac
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import lru_cache

import asyncpg
import msgspec

from ingest.request_errors import conflict, invalid, not_found
from schemas.channels import channel
from schemas.fields import Field, declared
from schemas.ids import ResourceId, ResourceNumber, TriggerId, TriggerNumber
from schemas.matching import Mode
from schemas.tokens import ALWAYS_200, hashed

# What fits into the column; any other number names nothing.
NUMBERS = range(-(2**31), 2**31)


@dataclass(frozen=True)
class Token:
    """Who asks, and what it may do."""

    id: int
    account: int
    rights: frozenset[str]
    # Most of its profiles that may wait in a gateway; None: as the settings say.
    in_flight: int | None = None
    always_200: bool = False


@dataclass(frozen=True)
class Database:
    """A database by its internal id, with the fields it declares."""

    id: int
    fields: dict[str, Field]


@dataclass(frozen=True)
class Trigger:
    """An active trigger that a request may start, by its internal id."""

    id: TriggerId
    database: Database
    # The account's own number of the database.
    db_id: int
    channel: str
    wait: timedelta


async def find_tokens(connection: asyncpg.Connection, tokens: Sequence[str]) -> list[Token | None]:
    """Each token, unless it is unknown, revoked or expired."""
    wanted = [hashed(token) for token in tokens]
    rows = await connection.fetch(
        "SELECT id, account, hash, rights, in_flight, http_status FROM tokens "
        "WHERE hash = ANY($1) AND NOT revoked AND (expires_at IS NULL OR expires_at > now())",
        list(set(wanted)),
    )
    return [next((_token(row) for row in rows if hmac.compare_digest(row["hash"], each)), None) for each in wanted]


def _token(row: asyncpg.Record) -> Token:
    return Token(row["id"], row["account"], frozenset(row["rights"]), row["in_flight"], row["http_status"] == ALWAYS_200)


async def find_triggers(connection: asyncpg.Connection, named: Sequence[tuple[int, TriggerNumber]]) -> list[asyncpg.Record | None]:
    """What is known of each trigger that an account and its own number name; for `startable`."""
    possible = {each for each in named if each[1] in NUMBERS}
    rows = await connection.fetch(
        "SELECT t.account, t.number, t.id, t.active, t.type, t.channel, t.skip_minutes, d.id AS database, d.number AS db_id, "
        "d.fields::text AS fields, r.fields AS indexing FROM unnest($1::int[], $2::int[]) AS named (account, number) "
        "JOIN triggers t ON t.account = named.account AND t.number = named.number "
        "JOIN databases d ON d.id = t.database LEFT JOIN refilings r ON r.database = d.id",
        [account for account, _ in possible],
        [number for _, number in possible],
    )
    found = {(row["account"], row["number"]): row for row in rows}
    return [found.get(each) for each in named]


def startable(row: asyncpg.Record | None) -> Trigger:
    """The trigger and its database; refused unless it is active and of the type `api_call`."""
    if row is None:
        raise not_found("trigger_id")
    if not row["active"]:
        raise conflict("trigger_id: the trigger is inactive")
    if row["type"] != "api_call":
        raise conflict("trigger_id: the trigger is not of the type api_call")
    wait = timedelta(minutes=row["skip_minutes"])
    return Trigger(row["id"], database(row["database"], row["fields"], row["indexing"] or ()), row["db_id"], row["channel"], wait)


async def check_database(connection: asyncpg.Connection, account: int, number: int, trigger: Trigger) -> None:
    """Refused unless the number is that of the trigger's database."""
    if number != trigger.db_id:
        await get_database(connection, account, number)
        raise invalid(f"db_id: {number} is not the trigger's database, which is {trigger.db_id}")


async def get_database(connection: asyncpg.Connection, account: int, number: int) -> Database:
    row = await _find(
        connection,
        "SELECT d.id, d.fields::text AS fields, r.fields AS indexing FROM databases d LEFT JOIN refilings r ON r.database = d.id "
        "WHERE d.account = $1 AND d.number = $2",
        account,
        number,
    )
    if row is None:
        raise not_found("db_id")
    return database(row["id"], row["fields"], row["indexing"] or ())


async def get_resource(
    connection: asyncpg.Connection, account: int, database: int, number: ResourceNumber, mode: Mode | None = None
) -> ResourceId:
    """The internal id of one of the database's resources; of those that the mode searches subscriptions to, where there is one."""
    row = await _find(connection, "SELECT id, database, channel FROM resources WHERE account = $1 AND number = $2", account, number)
    if row is None:
        raise not_found("resource_id")
    if row["database"] != database:
        raise invalid("resource_id: the resource belongs to another database")
    if mode is not None and channel(row["channel"]).kinds not in mode.subscriptions:
        raise invalid(f"resource_id: the resource's channel is {row['channel']}, not {' or '.join(sorted(mode.channels))}")
    return ResourceId(row["id"])


async def _find(connection: asyncpg.Connection, sql: str, account: int, number: int) -> asyncpg.Record | None:
    return await connection.fetchrow(sql, account, number) if number in NUMBERS else None


def database(internal_id: int, fields: str, indexing: Iterable[str] = ()) -> Database:
    return _database(internal_id, fields, tuple(indexing))


# A declaration is checked once; it changes with `profuse apply` only.
@lru_cache(maxsize=256)
def _database(internal_id: int, fields: str, indexing: tuple[str, ...]) -> Database:
    return Database(internal_id, declared(msgspec.json.decode(fields), indexing))
