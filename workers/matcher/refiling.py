"""Files profiles anew, a page at a time: each page is one short transaction, which imports wait for and which waits for imports."""

from collections.abc import Collection

import asyncpg

from schemas.kinds import Kind
from schemas.stored import renewed
from workers.exactly_once import TooMuch
from workers.matcher import identities, profiles
from workers.matcher.batch_cache import load_database
from workers.matcher.profile import Profile

Row = tuple[str, int]
"""A place in the index of a database's own fields: value and `n`."""

_PROFILES = "SELECT id FROM profiles WHERE database = $1 AND id > $2 ORDER BY id LIMIT $3"
_ROWS = """
    SELECT value, n, profile FROM identities
    WHERE database = $1 AND kind = $2 AND (value, n) > ($3, $4) ORDER BY value, n LIMIT $5
"""
_REMOVE = """
    DELETE FROM identities AS held USING unnest($3::text[], $4::bigint[], $5::bytea[]) AS stale (value, n, profile)
    WHERE held.database = $1 AND held.kind = $2 AND held.value = stale.value AND held.n = stale.n AND held.profile = stale.profile
"""


async def file(connection: asyncpg.Connection, database: int, after: bytes, size: int) -> list[bytes]:
    """Spell what the next profiles hold as it is spelled today, and let them be found by what is declared.

    Returns their ids, none where there are no more.
    """
    ids = [bytes(row["id"]) for row in await connection.fetch(_PROFILES, database, after, size)]
    try:
        found = await _locked(connection, database, ids)
    except TooMuch:
        return await file(connection, database, after, len(ids) // 2)
    for profile in found:
        data = renewed(profile.database.fields, profile.data)
        profile.changed = data != profile.data
        # However large it is: it was stored before.
        profile.data = data
    await profiles.store(connection, [profile for profile in found if profile.changed])
    await identities.store(connection, found)
    return ids


async def sweep(connection: asyncpg.Connection, database: int, after: Row, size: int) -> Row | None:
    """Forget what the next rows say of profiles that hold another value by now, because nobody kept the rows of a field
    that was not matched by; returns the last one's place, None where there are no more.
    """
    rows = await connection.fetch(_ROWS, database, Kind.FIELD, *after, size)
    if not rows:
        return None
    try:
        holders = {profile.id: profile.identities for profile in await _locked(connection, database, {row["profile"] for row in rows})}
    except TooMuch:
        return await sweep(connection, database, after, len(rows) // 2)
    stale = [tuple(row) for row in rows if (Kind.FIELD, row["value"]) not in holders.get(row["profile"], ())]
    if stale:
        await connection.execute(_REMOVE, database, Kind.FIELD, *zip(*stale, strict=True))
    return rows[-1]["value"], rows[-1]["n"]


async def _locked(connection: asyncpg.Connection, database: int, ids: Collection[bytes]) -> list[Profile]:
    return await profiles.lock(connection, ids, {database: await load_database(connection, database)})
