"""`profiles/get`: one profile with its subscriptions."""

from dataclasses import dataclass
from typing import Any

import asyncpg
import msgspec

from ingest import accounts
from ingest.accounts import Database
from ingest.answers import Answer, conflict, invalid, not_found, success
from ingest.calls import Call
from ingest.items import normal_value
from ingest.postgres import Pool
from ingest.requests import MATCH_KEYS, SUBSCRIPTION_SIDE, GetProfile, checked, matched_field
from schemas.failures import ItemFailed
from schemas.fields import Field, MatchValue
from schemas.identities import searched, tag_hashes
from schemas.matching import Matching


@dataclass(frozen=True)
class GettingProfile:
    """The endpoint; it only reads."""

    pool: Pool

    async def answer(self, call: Call) -> Answer:
        request = checked(GetProfile, call.parameters())
        async with self.pool.acquire() as connection:
            database = await accounts.get_database(connection, call.token.account, request.db_id)
            resource = request.resource_id if request.matching in SUBSCRIPTION_SIDE else None
            if resource is not None:
                await accounts.get_resource(connection, call.token.account, database.id, resource)
            field = matched_field(request, database.fields)
            found = await _find(connection, database, request, _match_value(request, field), resource)
            if len(found) > 1:
                raise conflict("more than one profile matches")
            row = await _read(connection, database, found[0]) if found else None
        if row is None:
            raise not_found("the profile")
        return success(data=_shown(row))


def _match_value(request: GetProfile, field: Field | None) -> MatchValue:
    key = MATCH_KEYS[request.matching]
    if request.match_value is None:
        raise invalid(f"{key}: required with matching {request.matching}")
    try:
        return normal_value(key, request.match_value, request.matching, field)
    except ItemFailed as failed:
        if failed.error == 404:
            raise not_found("the profile") from None
        raise invalid(f"{key}: {failed.error_text}") from None


async def _find(
    connection: asyncpg.Connection, database: Database, request: GetProfile, value: MatchValue, resource: int | None
) -> list[bytes]:
    """The profiles that match, two at the most of each kind of identity."""
    if isinstance(value, list):
        wanted = tag_hashes(database.id, str(request.field_name), value)
        rows = await connection.fetch("SELECT profile FROM profile_tags WHERE tags @> $1::bigint[] LIMIT 2", wanted)
    elif request.matching is Matching.PROFILE_ID:
        return [bytes.fromhex(value)]
    else:
        identities = searched(request.matching, value, resource, request.field_name)
        rows = await connection.fetch(
            "SELECT DISTINCT i.profile FROM unnest($2::smallint[], $3::text[]) AS s(kind, value), LATERAL "
            "(SELECT profile FROM identities WHERE database = $1 AND kind = s.kind AND value = s.value LIMIT 2) i",
            database.id,
            [kind for kind, _ in identities],
            [text for _, text in identities],
        )
    return [row["profile"] for row in rows]


async def _read(connection: asyncpg.Connection, database: Database, profile: bytes) -> asyncpg.Record | None:
    return await connection.fetchrow(
        "SELECT id, data::text AS data, subscriptions::text AS subscriptions FROM profiles WHERE id = $1 AND database = $2",
        profile,
        database.id,
    )


def _shown(row: asyncpg.Record) -> dict[str, Any]:
    fields: dict[str, Any] = msgspec.json.decode(row["data"])
    return {"_id": row["id"].hex(), **fields, "subscriptions": msgspec.json.decode(row["subscriptions"])}
