"""Profiles as they are stored: found by what they are matched by, and read whole."""

from typing import Any

import asyncpg
import msgspec

from schemas.fields import MatchValue
from schemas.identities import tagged
from schemas.ids import ResourceNumber
from schemas.matching import Mode, Own
from store.identity_search import holders
from store.tag_search import carriers

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
    keys = [(database, identity) for identity in mode.searched(value, resource, own)]
    # One profile may hold several of them.
    return list({profile for _, profile in await holders(connection, keys)})


async def read(connection: asyncpg.Connection, database: int, profile: bytes) -> dict[str, Any] | None:
    """The profile with its id and its subscriptions, if it is one of the database."""
    row = await connection.fetchrow(_READ, profile, database)
    if row is None:
        return None
    fields: dict[str, Any] = msgspec.json.decode(row["data"])
    return {"_id": profile.hex(), **fields, "subscriptions": msgspec.json.decode(row["subscriptions"])}
