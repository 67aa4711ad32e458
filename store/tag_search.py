"""Who carries all of several tags, found in a bounded number of steps, however many carry each of them."""

from collections.abc import Sequence

import asyncpg

from runtime.arrays import array_of_texts
from schemas.kinds import Identity

# One step is one descent of the index. Rare tags need fewer, be the others as frequent as they will.
MOST_STEPS = 500

# The rows of a value are sorted by `n`, which a carrier has in common to all of its tags: from tag to tag, and round again, each step
# leaps to the first carrier who is not before the one that the step before has come to; as many in a row as there are tags are a match.
CARRIERS = """
    SELECT wanted.at, found.profile
    FROM unnest($1::int[], $2::text[]) WITH ORDINALITY AS spelled (database, tags, at),
    LATERAL (SELECT spelled.database, spelled.at, spelled.tags::text[] AS tags, cardinality(spelled.tags::text[]) AS size) AS wanted,
    LATERAL (
        WITH RECURSIVE leaps (n, alike, step) AS (
            SELECT 0::bigint, 0, 0
            UNION ALL
            SELECT next.n, CASE WHEN next.n = leaps.n THEN leaps.alike + 1 ELSE 1 END, leaps.step + 1
            FROM leaps, LATERAL (
                SELECT n FROM identities
                WHERE database = wanted.database AND kind = $3 AND value = wanted.tags[leaps.step % wanted.size + 1]
                  AND n >= leaps.n + (leaps.alike = wanted.size)::int
                ORDER BY n LIMIT 1
            ) AS next
            WHERE leaps.step < $5
        )
        SELECT CASE WHEN leaps.step < $5 THEN held.profile END AS profile
        FROM leaps JOIN identities AS held ON held.database = wanted.database AND held.kind = $3 AND held.n = leaps.n
          AND held.value = wanted.tags[(leaps.step - 1) % wanted.size + 1]
        WHERE (leaps.alike = wanted.size AND held.profile <> ALL($4::bytea[])) OR leaps.step = $5
        LIMIT 2
    ) AS found
"""


async def carriers(
    connection: asyncpg.Connection, searches: Sequence[tuple[int, Sequence[Identity]]], but: Sequence[bytes] = ()
) -> list[tuple[int, bytes | None]]:
    """Up to two profiles, `but` these, for each search, which is a database and tags: its place in the list, and who is found.

    None: there may be more, and no end is in sight.
    """
    databases = [database for database, _ in searches]
    spelled = [array_of_texts([value for _, value in tags]) for _, tags in searches]
    kind = searches[0][1][0][0]
    rows = await connection.fetch(CARRIERS, databases, spelled, kind, list(but), MOST_STEPS)
    return [(row["at"] - 1, row["profile"]) for row in rows]
