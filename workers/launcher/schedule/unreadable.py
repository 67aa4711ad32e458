"""SQL of launches whose message cannot be read: they are to fail, until a replay of it starts them after all."""

from collections.abc import Sequence

import asyncpg

from workers.exactly_once import Dead

# What the message said of the batch's own campaign stands in `results`, too.
_GIVE_UP = """
INSERT INTO launches (batch, trigger, attempt, first_item, account, due_at, run_at, chunk, items, profiles, done, doomed)
SELECT alive.id, alive.trigger, 0, given.items[1], alive.account, alive.due_at, now(), given.chunk, given.items, given.profiles,
       repeat('0', cardinality(given.items))::varbit, 'message cannot be read'
FROM (
    SELECT dead.batch, dead.chunk, array_agg(item ORDER BY item) AS items,
           string_agg(substring(results.profiles FROM (12 * (at - 1) + 1)::int FOR 12), ''::bytea ORDER BY item) AS profiles
    FROM (SELECT DISTINCT * FROM unnest($1::bytea[], $2::int[]) AS named (batch, chunk)) AS dead
    JOIN results ON results.batch = dead.batch AND results.chunk = dead.chunk,
        unnest(results.items) WITH ORDINALITY AS answered (item, at)
    WHERE NOT results.errors ? item::text
    GROUP BY dead.batch, dead.chunk
) AS given,
    -- Locked, or the batch could go meanwhile.
    LATERAL (SELECT id, trigger, account, due_at FROM batches WHERE id = given.batch AND trigger IS NOT NULL FOR KEY SHARE) AS alive
ORDER BY alive.id, alive.trigger, given.items[1]
-- The same message was read before.
ON CONFLICT DO NOTHING
"""


def named(dead: Sequence[Dead]) -> list[tuple[bytes, int]]:
    """Batches and chunks that their headers name; a message without readable headers stays unknown."""
    return [(each.batch, each.item) for each in dead if each.batch is not None and each.item is not None]


async def give_up(connection: asyncpg.Connection, dead: Sequence[tuple[bytes, int]]) -> None:
    """Let the launches of these batches and chunks fail, and be told, untried."""
    if dead:
        await connection.execute(_GIVE_UP, *map(list, zip(*dead, strict=True)))
