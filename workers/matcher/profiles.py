"""The table of profiles."""

from collections.abc import Collection, Mapping, Sequence

import asyncpg
import msgspec

from workers.matcher.batches import Database
from workers.matcher.profile import Profile

# Sorted, or two matchers that mean the same profiles lock each other out.
_LOCK = """
    SELECT id, database, data::text, subscriptions::text FROM profiles
    WHERE id = ANY($1::bytea[]) AND database = ANY($2::int[]) ORDER BY id FOR NO KEY UPDATE
"""
_LOCK_AT_ONCE = f"{_LOCK} NOWAIT"
_INSERT = """
    INSERT INTO profiles (id, database, data, subscriptions) SELECT * FROM unnest($1::bytea[], $2::int[], $3::jsonb[], $4::jsonb[])
"""
_UPDATE = """
    UPDATE profiles SET data = latest.data, subscriptions = latest.subscriptions
    FROM unnest($1::bytea[], $2::int[], $3::jsonb[], $4::jsonb[]) AS latest (id, database, data, subscriptions)
    WHERE profiles.id = latest.id
"""


async def lock(
    connection: asyncpg.Connection, ids: Collection[bytes], databases: Mapping[int, Database], *, waiting: bool = True
) -> list[Profile]:
    """The profiles as they are, and as they stay until the transaction ends.

    Who has locked something already must not wait for more, and is told that it is locked by an error that passes.
    """
    if not ids:
        return []
    rows = await connection.fetch(_LOCK if waiting else _LOCK_AT_ONCE, list(ids), list(databases))
    decode = msgspec.json.decode
    return [Profile.stored(id_, databases[database], decode(data), decode(subscriptions)) for id_, database, data, subscriptions in rows]


async def store(connection: asyncpg.Connection, profiles: Sequence[Profile]) -> None:
    """Write new profiles, which nobody else knows, and changed ones, which are locked."""
    for statement, rows in (
        (_INSERT, [_row(profile) for profile in profiles if profile.new]),
        (_UPDATE, [_row(profile) for profile in profiles if profile.changed and not profile.new]),
    ):
        if rows:
            await connection.execute(statement, *zip(*rows, strict=True))


def _row(profile: Profile) -> tuple[bytes, int, str, str]:
    return profile.id, profile.database.id, *profile.written
