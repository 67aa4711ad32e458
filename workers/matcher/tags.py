"""The index of tags: a B-tree cannot find who carries all of several."""

from collections import defaultdict
from collections.abc import Iterable, Sequence

import asyncpg

from workers.matcher.profile import Profile
from workers.matcher.reading import Held, Tags

_CARRIERS = """
    SELECT wanted.at, found.profile
    FROM unnest($1::text[]) WITH ORDINALITY AS wanted (tags, at),
    LATERAL (SELECT profile FROM profile_tags WHERE tags @> wanted.tags::bigint[] AND profile <> ALL($2::bytea[]) LIMIT 2) AS found
"""
_STORE = """
    INSERT INTO profile_tags (profile, tags)
    SELECT profile, tags::bigint[] FROM unnest($1::bytea[], $2::text[]) AS tagged (profile, tags)
    ON CONFLICT (profile) DO UPDATE SET tags = EXCLUDED.tags
"""


async def look_up(connection: asyncpg.Connection, tags: Sequence[Tags], but: Sequence[bytes] = ()) -> Held:
    """Up to two profiles, `but` these, for each combination of tags that anybody carries."""
    found: Held = defaultdict(set)
    if tags:
        for at, profile in await connection.fetch(_CARRIERS, list(map(_array, tags)), but):
            found[tags[at - 1]].add(profile)
    return dict(found)


async def store(connection: asyncpg.Connection, profiles: Iterable[Profile]) -> None:
    """Let the profiles be found by the tags that they carry now."""
    changed = sorted((profile.id, profile.tags) for profile in profiles if profile.tags != profile.stored_tags)
    if tagged := [(id_, _array(tags)) for id_, tags in changed if tags]:
        await connection.execute(_STORE, *zip(*tagged, strict=True))
    if bare := [id_ for id_, tags in changed if not tags]:
        await connection.execute("DELETE FROM profile_tags WHERE profile = ANY($1::bytea[])", bare)


async def forget(connection: asyncpg.Connection, profiles: Iterable[bytes]) -> None:
    """Let nobody be found by the tags of those that are gone."""
    await connection.execute("DELETE FROM profile_tags WHERE profile = ANY($1::bytea[])", sorted(profiles))


def _array(tags: Iterable[int]) -> str:
    return f"{{{','.join(map(str, tags))}}}"
