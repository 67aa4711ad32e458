"""Who holds what profiles are found by."""

from collections.abc import Sequence

import asyncpg

from runtime.arrays import array, array_of_texts
from schemas.kinds import Key

# Two holders say as much as a million do: that a search is ambiguous.
_HOLDERS = """
    SELECT wanted.at, found.profile
    FROM unnest($1::text::int[], $2::text::smallint[], $3::text::text[]) WITH ORDINALITY AS wanted (database, kind, value, at),
    LATERAL (
        SELECT profile FROM identities
        WHERE database = wanted.database AND kind = wanted.kind AND value = wanted.value
        LIMIT 2
    ) AS found
"""
_OTHER_HOLDERS = _HOLDERS.replace("LIMIT", "AND profile <> ALL($4::bytea[]) LIMIT")


async def holders(connection: asyncpg.Connection, keys: Sequence[Key], but: Sequence[bytes] = ()) -> list[tuple[Key, bytes]]:
    """Up to two profiles, `but` these, for each key that anybody holds."""
    if not keys:
        return []
    wanted = array([key[0] for key in keys]), array([key[1][0] for key in keys]), array_of_texts([key[1][1] for key in keys])
    rows = await (connection.fetch(_OTHER_HOLDERS, *wanted, but) if but else connection.fetch(_HOLDERS, *wanted))
    return [(keys[at - 1], profile) for at, profile in rows]
