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

# Of batches that start none of their own, no launch will say that these are over.
_COUNT = """
WITH counted AS (
    SELECT dead.batch, count(*) AS items
    FROM (SELECT DISTINCT * FROM unnest($1::bytea[], $2::int[]) AS named (batch, chunk)) AS dead
    JOIN batches ON batches.id = dead.batch AND batches.trigger IS NULL
    JOIN results ON results.batch = dead.batch AND results.chunk = dead.chunk, unnest(results.items) AS answered (item)
    WHERE NOT results.errors ? item::text
    GROUP BY dead.batch
), locked AS (
    SELECT progress.batch FROM batch_progress AS progress JOIN counted USING (batch) ORDER BY progress.batch FOR NO KEY UPDATE OF progress
)
UPDATE batch_progress AS progress SET told = progress.told + counted.items
FROM counted JOIN locked USING (batch) WHERE progress.batch = counted.batch
"""


async def give_up(connection: asyncpg.Connection, dead: Sequence[Dead]) -> None:
    """Let the launches that the headers name fail, and be told, untried; those of a message without readable headers stay unknown."""
    named = [(each.batch, each.item) for each in dead if each.batch is not None and each.item is not None]
    if named:
        batches, chunks = map(list, zip(*named, strict=True))
        await connection.execute(_GIVE_UP, batches, chunks)
        await connection.execute(_COUNT, batches, chunks)
