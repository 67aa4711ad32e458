"""Profiles as they are stored: found by what they are matched by, and read whole."""

from typing import Any

import asyncpg
import msgspec

from schemas.fields import MatchValue
from schemas.identities import tagged
from schemas.ids import ResourceNumber
from schemas.matching import Mode, Own
from store.tag_search import carriers

# Two of a kind are several, however many more there are.
_FIND = """
SELECT DISTINCT found.profile FROM unnest($2::smallint[], $3::text[]) AS searched (kind, value), LATERAL (
    SELECT profile FROM identities WHERE database = $1 AND kind = searched.kind AND value = searched.value LIMIT 2
) AS found
"""
_READ = "SELECT data::text AS data, subscriptions::text AS subscriptions FROM profiles WHERE id = $1 AND database = $2"


class Endless(Exception):
    """So many carry each of the tags that nobody has counted who carries all of them."""


async def find(
    connection: asyncpg.Connection, database: int, mode: Mode, own: Own | None, value: MatchValue, resource: ResourceNumber | None
) -> list[bytes]:
    """The profiles that match a value in its canonical spelling, two at the most of each kind; raises `Endless`.

    An id is taken at its word: whether there is such a profile shows when it is read.
    """
    if isinstance(value, list):
        found = [profile for _, profile in await carriers(connection, [(database, tagged(own.name if own else "", value))])]
        if None in found:
            raise Endless
        return [profile for profile in found if profile]
    if mode.searched is None:
        return [bytes.fromhex(str(value))]
    identities = mode.searched(value, resource, own)
    rows = await connection.fetch(_FIND, database, [kind for kind, _ in identities], [text for _, text in identities])
    return [row["profile"] for row in rows]


async def read(connection: asyncpg.Connection, database: int, profile: bytes) -> dict[str, Any] | None:
    """The profile with its id and its subscriptions, if it is one of the database."""
    row = await connection.fetchrow(_READ, profile, database)
    if row is None:
        return None
    fields: dict[str, Any] = msgspec.json.decode(row["data"])
    return {"_id": profile.hex(), **fields, "subscriptions": msgspec.json.decode(row["subscriptions"])}
