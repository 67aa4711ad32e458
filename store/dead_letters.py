"""Dead letters that go: whoever lets one go sees to it that its item is answered."""

from collections.abc import Sequence

import asyncpg
import msgspec

from schemas.ids import SIZE
from schemas.item_errors import CANNOT_BE_PROCESSED
from schemas.topics import IMPORTS

_KEYS = 'unnest($1::text[], $2::int[], $3::bigint[]) AS its (topic, partition, "offset")'
_IS_ITS = '(letter.topic, letter.partition, letter."offset") = (its.topic, its.partition, its."offset")'
# Before the batches, as whoever has found them by their rows has them already, and a replay for as long as it publishes.
_LOCK_LETTERS = f"""
SELECT FROM {_KEYS} JOIN dead_letters AS letter ON {_IS_ITS} ORDER BY letter.topic, letter.partition, letter."offset" FOR UPDATE OF letter
"""  # constants
# In everybody's order. A matcher may be answering an item of theirs, and nobody may count it twice.
_LOCK_BATCHES = f"""
SELECT FROM batch_progress WHERE batch IN (SELECT letter.batch FROM {_KEYS} JOIN dead_letters AS letter ON {_IS_ITS})
ORDER BY batch FOR NO KEY UPDATE
"""  # noqa: S608  # constants
# A replay takes the answer back before it publishes: one that broke off in between has left an item that nobody else would answer.
# What was replayed is on the broker, and a message of another topic answers no item.
_DROP = f"""
WITH dropped AS (
    DELETE FROM dead_letters AS letter USING {_KEYS} WHERE {_IS_ITS} RETURNING letter.topic, letter.batch, letter.item, letter.replayed_at
), unanswered AS (
    SELECT DISTINCT batch, dropped.item, progress.done FROM dropped JOIN batch_progress AS progress USING (batch)
    WHERE dropped.replayed_at IS NULL AND dropped.topic LIKE $4
    AND CASE WHEN dropped.item < progress.total THEN get_bit(progress.done, dropped.item) = 0 END
), answered AS (
    INSERT INTO results (batch, chunk, items, profiles, errors, custom_data)
    SELECT batch, item, ARRAY[item], $5, jsonb_build_object(item::text, $6::jsonb), '{{}}' FROM unanswered
), counted AS (
    UPDATE batch_progress SET done = its.done, failed = failed + its.items
    FROM (SELECT batch, bit_or(set_bit(done, item, 1)) AS done, count(*)::int AS items FROM unanswered GROUP BY batch) AS its
    WHERE batch_progress.batch = its.batch
)
SELECT count(*) FROM dropped
"""  # noqa: S608  # constants


async def drop(connection: asyncpg.Connection, keys: Sequence[tuple[str, int, int]]) -> int:
    """How many of these topics, partitions and offsets are gone; an item that has no answer gets one. In a transaction of the caller's."""
    columns = [list(column) for column in zip(*keys, strict=True)]
    if not columns:
        return 0
    await connection.execute(_LOCK_LETTERS, *columns)
    await connection.execute(_LOCK_BATCHES, *columns)
    entry = msgspec.json.encode(CANNOT_BE_PROCESSED.entry()).decode()
    return int(await connection.fetchval(_DROP, *columns, f"%.{IMPORTS.name}", bytes(SIZE), entry))
