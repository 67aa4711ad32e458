"""The index of what profiles are found by."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

import asyncpg

from schemas.identities import Identity, Kind, holder_number
from workers.exactly_once import Surprise
from workers.matcher.profile import Profile
from workers.matcher.reading import Held, Key

# Two holders say as much as a million do: that a search is ambiguous.
_HOLDERS = """
    SELECT wanted.at, found.profile
    FROM unnest($1::int[], $2::smallint[], $3::text[]) WITH ORDINALITY AS wanted (database, kind, value, at),
    LATERAL (
        SELECT profile FROM identities
        WHERE database = wanted.database AND kind = wanted.kind AND value = wanted.value
        LIMIT 2
    ) AS found
"""
_OTHER_HOLDERS = _HOLDERS.replace("LIMIT", "AND profile <> ALL($4::bytea[]) LIMIT")

# Whether the profile was the first holder or a further one, it has one row for a value.
_REMOVE = """
    DELETE FROM identities AS held
    USING unnest($1::int[], $2::smallint[], $3::text[], $4::bigint[], $5::bytea[]) AS gone (database, kind, value, n, profile)
    WHERE held.database = gone.database AND held.kind = gone.kind AND held.value = gone.value
      AND held.n = ANY(ARRAY[0, gone.n]) AND held.profile = gone.profile
"""

# What the profile holds already is not lost to anybody.
_ADD = """
    INSERT INTO identities AS held (database, kind, value, n, profile)
    SELECT * FROM unnest($1::int[], $2::smallint[], $3::text[], $4::bigint[], $5::bytea[])
    ON CONFLICT (database, kind, value, n) DO UPDATE SET profile = EXCLUDED.profile WHERE held.profile = EXCLUDED.profile
"""


async def look_up(connection: asyncpg.Connection, keys: Sequence[Key], but: Sequence[bytes] = ()) -> Held:
    """Up to two profiles, `but` these, for each key that anybody holds."""
    if not keys:
        return {}
    wanted = [key[0] for key in keys], [key[1][0] for key in keys], [key[1][1] for key in keys]
    rows = await (connection.fetch(_OTHER_HOLDERS, *wanted, but) if but else connection.fetch(_HOLDERS, *wanted))
    found: Held = defaultdict(set)
    for at, profile in rows:
        found[keys[at - 1]].add(profile)
    return dict(found)


async def store(connection: asyncpg.Connection, profiles: Iterable[Profile]) -> None:
    """Let the profiles be found by what they are now; raises `Surprise` if somebody else took an identity meanwhile."""
    gone, gained = [], []
    for profile in profiles:
        new = profile.identities - (profile.stored_identities - profile.doubtful)
        # While a field is being indexed a row may be there already, under either number, from when it was matched by before.
        old = profile.stored_identities - profile.identities | (new if profile.database.indexing else frozenset())
        gone += [_row(profile, identity, holder_number(profile.id)) for identity in old]
        gained += [_row(profile, identity, _n(profile, identity)) for identity in new]
    if gone:
        await connection.execute(_REMOVE, *zip(*gone, strict=True))
    # One order for everyone, or two matchers that wait for each other's rows lock up.
    gained.sort()
    if gained and await connection.execute(_ADD, *zip(*gained, strict=True)) != f"INSERT 0 {len(gained)}":
        raise Surprise("an identity was taken meanwhile")


async def forget(connection: asyncpg.Connection, held: Iterable[tuple[Key, bytes]]) -> None:
    """Let nobody be found by these, which say who has gone."""
    # One order for everyone, here too.
    rows = sorted((database, *identity, holder_number(holder), holder) for (database, identity), holder in held)
    await connection.execute(_REMOVE, *zip(*rows, strict=True))


def _row(profile: Profile, identity: Identity, n: int) -> tuple[int, Kind, str, int, bytes]:
    return profile.database.id, *identity, n, profile.id


def _n(profile: Profile, identity: Identity) -> int:
    """0 where there must be no second holder: an e-mail's only one, and whoever was created because there was none."""
    return 0 if identity[0] is Kind.EMAIL or identity in profile.claims else holder_number(profile.id)
