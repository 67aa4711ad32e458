"""Erases one profile: all that the tables hold of it, but for its bare id in answers and launches."""

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg
import msgspec

from runtime.arrays import array
from schemas.fields import Field
from schemas.identities import holder_number, identities_of
from schemas.ids import unpack
from schemas.keys import keys_of
from store import dead_letters

# Rows of `results` that one statement looks at.
PAGE = 5_000
# Whose results are locked, and in memory, together.
BATCHES = 200

# As it is now, and as it stays until it is gone: whoever imports into it has committed by then, or finds nothing.
_LOCK = "SELECT data::text AS data, subscriptions::text AS subscriptions FROM profiles WHERE id = $1 AND database = $2 FOR UPDATE"
_DATABASE = "SELECT account, fields::text AS fields FROM databases WHERE id = $1"
_DELETE_PROFILE = "DELETE FROM profiles WHERE id = $1"
# Whether it was a value's first holder or a further one, it has one row for it.
_DELETE_IDENTITIES = """
DELETE FROM identities WHERE (database, kind, value, n) IN (
    SELECT held.database, held.kind, held.value, held.n
    FROM unnest($2::smallint[], $3::text[]) AS its (kind, value)
    JOIN identities AS held ON held.database = $1 AND held.kind = its.kind AND held.value = its.value AND held.n = ANY(ARRAY[0, $4::bigint])
    WHERE held.profile = $5
    ORDER BY held.kind, held.value FOR UPDATE OF held
)
"""
# Such a one means it by its key, or was replayed and became it.
_LETTERS = """
SELECT topic, partition, "offset" FROM dead_letters AS letter WHERE account = ANY(ARRAY[0, $1::int]) AND (
    key = ANY($2::bytea[]) OR EXISTS (
        SELECT FROM results WHERE results.batch = letter.batch
        AND substring(results.profiles FROM 12 * (array_position(results.items, letter.item) - 1) + 1 FOR 12) = $3
    )
)
ORDER BY topic, partition, "offset" FOR UPDATE
"""
_REMEMBER = "INSERT INTO erasures (profile) VALUES ($1)"

_RESULTS = """
SELECT batch, chunk, position($1 IN profiles) > 0 AS named FROM results
WHERE custom_data::text <> '{}' AND (batch, chunk) > ($2, $3) ORDER BY batch, chunk LIMIT $4
"""
# All of a batch: a replay may have given the row another name meanwhile.
_LOCK_RESULTS = """
SELECT batch, chunk, items, profiles FROM results
WHERE batch = ANY($1::bytea[]) AND custom_data::text <> '{}' AND position($2 IN profiles) > 0 ORDER BY batch, chunk FOR NO KEY UPDATE
"""
# What stays is kept as its sender wrote it, numbers included.
_STRIP = """
UPDATE results SET custom_data = (
    SELECT coalesce(json_object_agg(own.key, own.value), '{}') FROM json_each(custom_data) AS own
    WHERE own.key <> ALL(its.items::text[])
)
FROM unnest($1::bytea[], $2::int[], $3::text[]) AS its (batch, chunk, items)
WHERE results.batch = its.batch AND results.chunk = its.chunk
"""
_FORGET = "DELETE FROM erasures WHERE profile = $1"


async def erase(connection: asyncpg.Connection, database: int, profile: bytes) -> bool:
    """Row, identities and dead letters in one transaction, in the order in which everybody locks; False if there is no such profile.

    `strip` has to follow; who dies before it has, leaves it to retention.
    """
    async with connection.transaction():
        row = await connection.fetchrow(_LOCK, profile, database)
        if row is None:
            return False
        account, declared = await connection.fetchrow(_DATABASE, database)
        fields = _fields(declared)
        data, subscriptions = msgspec.json.decode(row["data"]), msgspec.json.decode(row["subscriptions"])
        await connection.execute(_DELETE_PROFILE, profile)
        held = list(identities_of(fields, data, subscriptions))
        its = [kind for kind, _ in held], [value for _, value in held]
        await connection.execute(_DELETE_IDENTITIES, database, *its, holder_number(profile), profile)
        keys = keys_of(database, fields, profile, data, subscriptions)
        await dead_letters.drop(connection, await connection.fetch(_LETTERS, account, list(keys), profile))
        await connection.execute(_REMEMBER, profile)
    return True


async def strip(connection: asyncpg.Connection, profile: bytes) -> None:
    """Take the `custom_data` of an erased profile's items out of the results, page by page; nobody waits for more than some of it.

    No item can become the profile's any more, so that one walk finds all.
    """
    batch, chunk = b"", -1
    while page := await connection.fetch(_RESULTS, profile, batch, chunk, PAGE):
        batch, chunk = page[-1]["batch"], page[-1]["chunk"]
        named = sorted({row["batch"] for row in page if row["named"]})
        for start in range(0, len(named), BATCHES):
            await _strip(connection, named[start : start + BATCHES], profile)
    await connection.execute(_FORGET, profile)


async def _strip(connection: asyncpg.Connection, batches: Sequence[bytes], profile: bytes) -> None:
    async with connection.transaction():
        rows = await connection.fetch(_LOCK_RESULTS, batches, profile)
        theirs = [[item for item, id_ in zip(row["items"], unpack(row["profiles"]), strict=True) if id_ == profile] for row in rows]
        keys = [row["batch"] for row in rows], [row["chunk"] for row in rows]
        await connection.execute(_STRIP, *keys, list(map(array, theirs)))


def _fields(declared: str) -> Mapping[str, Field]:
    """As if all of them were searched by: what is filed may be older than a declaration."""
    fields: dict[str, Any] = msgspec.json.decode(declared)
    return {name: Field.model_validate(field).model_copy(update={"match": True}) for name, field in fields.items()}
