"""Launches of a batch as a whole, whoever works on them meanwhile."""

import asyncpg

# Waits for launchers that schedule the batch's groups right now, and makes later ones see the new due time.
_LOCK = "SELECT FROM batches WHERE id = $1 FOR UPDATE"
_BATCH = """
UPDATE batches SET
    due_at = least(due_at, now()),
    -- What was to happen later may be over now.
    look_at = now(),
    -- For what its imports start later.
    hastened_at = now()
WHERE id = $1
"""
_GROUPS = """
UPDATE launches SET due_at = now(), run_at = now()
WHERE batch = $1 AND finished_at IS NULL AND due_at > now()
RETURNING cardinality(items) - bit_count(done) AS left
"""


async def make_due(connection: asyncpg.Connection, batch: bytes) -> int | None:
    """How many pending launches are due now instead of later; None if there is no such batch."""
    async with connection.transaction():
        if await connection.fetchrow(_LOCK, batch) is None:
            return None
        await connection.execute(_BATCH, batch)
        return sum(int(row["left"]) for row in await connection.fetch(_GROUPS, batch))
