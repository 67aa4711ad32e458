"""The index of what profiles are found by."""

from collections import defaultdict
from collections.abc import Iterable, Mapping, Sequence

import asyncpg

from runtime.arrays import array, array_of_bytes, array_of_texts
from runtime.postgres import affected
from schemas.identities import holder_number
from schemas.kinds import Identity, Key, Kind
from store.identity_search import holders
from workers.exactly_once import Conflict
from workers.matcher.item import Held
from workers.matcher.profile import Profile

# Database, kind, value, `n` and profile.
_ROWS = "unnest($1::text::int[], $2::text::smallint[], $3::text::text[], $4::text::bigint[], $5::text::bytea[])"

# Whether the profile was the first holder or a further one, it has one row for a value.
_REMOVE = f"""
    DELETE FROM identities AS held
    USING {_ROWS} AS gone (database, kind, value, n, profile)
    WHERE held.database = gone.database AND held.kind = gone.kind AND held.value = gone.value
      AND held.n = ANY(ARRAY[0, gone.n]) AND held.profile = gone.profile
"""  # noqa: S608

# Who holds a value is not locked by those who find that out: they might wait for each other.
_ADD = f"INSERT INTO identities (database, kind, value, n, profile) SELECT * FROM {_ROWS} ON CONFLICT DO NOTHING"  # noqa: S608
_HAND_OVER = """
    UPDATE identities AS held SET profile = handed.profile
    FROM unnest($1::int[], $2::smallint[], $3::text[], $4::bytea[], $5::bytea[]) AS handed (database, kind, value, holder, profile)
    WHERE held.database = handed.database AND held.kind = handed.kind AND held.value = handed.value
      AND held.n = 0 AND held.profile = handed.holder
"""
_HELD = f"""
    SELECT count(*) FROM {_ROWS} AS gained (database, kind, value, n, profile)
    JOIN identities AS held ON held.database = gained.database AND held.kind = gained.kind AND held.value = gained.value
      AND held.n = gained.n AND held.profile = gained.profile
"""  # noqa: S608


_Row = tuple[int, Kind, str, int, bytes]
"""Database, kind, value, `n` and profile."""


async def look_up(connection: asyncpg.Connection, keys: Sequence[Key], but: Sequence[bytes] = ()) -> Held:
    """Up to two profiles, `but` these, for each key that anybody holds."""
    found: Held = defaultdict(set)
    for key, profile in await holders(connection, keys, but):
        found[key].add(profile)
    return dict(found)


async def store(connection: asyncpg.Connection, profiles: Sequence[Profile]) -> None:
    """Let the profiles be found by what they are now; raises `Conflict` if somebody else took an identity meanwhile.

    Only who adds a row may have to wait for others, who add the same or have just removed it. So all are added before any is removed,
    and in one order for everyone, or matchers that wait for each other's rows lock up.
    """
    await _remove_doubtful(connection, profiles)
    gone = [(profile, identity) for profile in profiles for identity in profile.stored_identities - profile.identities]
    gained = sorted(_row(profile, identity, _n(profile, identity)) for profile in profiles for identity in _new(profile))
    if gained:
        await _add(
            connection, gained, {(holder.database.id, identity): holder.id for holder, identity in gone if identity[0] is Kind.EMAIL}
        )
    if gone:
        await connection.execute(_REMOVE, *_columns(_row(*each, holder_number(each[0].id)) for each in gone))


async def _remove_doubtful(connection: asyncpg.Connection, profiles: Iterable[Profile]) -> None:
    """While a field is being indexed a row may be there already, under either number, from when it was matched by before.

    Nobody waits for these: nobody is searched by such a field.
    """
    rows = [
        _row(profile, identity, holder_number(profile.id))
        for profile in profiles
        if profile.database.indexing
        for identity in _new(profile)
    ]
    if rows:
        await connection.execute(_REMOVE, *_columns(rows))


async def _add(connection: asyncpg.Connection, rows: Sequence[_Row], letting_go: Mapping[Key, bytes]) -> None:
    """`letting_go` says which of our profiles give up an e-mail that another one of them may gain."""
    added = affected(await connection.execute(_ADD, *_columns(rows)))
    handed = [
        (database, kind, value, letting_go[key], profile)
        for database, kind, value, _, profile in rows
        if (key := (database, (kind, value))) in letting_go
    ]
    if handed:
        added += affected(await connection.execute(_HAND_OVER, *zip(*handed, strict=True)))
    # What a profile holds already is not lost to anybody.
    if added < len(rows) and await connection.fetchval(_HELD, *_columns(rows)) < len(rows):
        raise Conflict("an identity was taken meanwhile")


async def forget(connection: asyncpg.Connection, held: Iterable[tuple[Key, bytes]]) -> None:
    """Let nobody be found by these, which say who has gone."""
    # One order for everyone, here too.
    rows = sorted((database, *identity, holder_number(holder), holder) for (database, identity), holder in held)
    await connection.execute(_REMOVE, *_columns(rows))


def _columns(rows: Iterable[_Row]) -> tuple[str, ...]:
    databases, kinds, values, numbers, profiles = zip(*rows, strict=True)
    return array(databases), array(kinds), array_of_texts(values), array(numbers), array_of_bytes(profiles)


def _new(profile: Profile) -> frozenset[Identity]:
    return profile.identities - (profile.stored_identities - profile.doubtful)


def _row(profile: Profile, identity: Identity, n: int) -> _Row:
    return profile.database.id, *identity, n, profile.id


def _n(profile: Profile, identity: Identity) -> int:
    """0 where there must be no second holder: an e-mail's only one, and whoever was created because there was none."""
    return 0 if identity[0] is Kind.EMAIL or identity in profile.claims else holder_number(profile.id)
