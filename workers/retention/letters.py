"""Dead letters that were replayed, that waited too long, or that are too many of one account; their items stay answered as they are."""

from datetime import timedelta

import asyncpg

from runtime.postgres import affected
from schemas import metrics

ROWS = 1_000

# The oldest first, past those that somebody replays just now.
_OLDEST = """
DELETE FROM dead_letters WHERE ctid = ANY(ARRAY(
    SELECT ctid FROM dead_letters WHERE {condition} ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED
))
"""
# What was replayed keeps its batch until whoever reads the record has come to it.
_EXPIRED = _OLDEST.format(condition="created_at < now() - $1::interval AND replayed_at IS NULL")
_OF_ACCOUNT = _OLDEST.format(condition="account = $1 AND replayed_at IS NULL")
_REPLAYED = "DELETE FROM dead_letters WHERE replayed_at < now() - $1::interval"
_COUNTED = "SELECT account, count(*) AS letters, count(*) FILTER (WHERE replayed_at IS NULL) AS waiting FROM dead_letters GROUP BY account"


async def drop_replayed(connection: asyncpg.Connection, kept: timedelta) -> int:
    return affected(await connection.execute(_REPLAYED, kept))


async def drop_expired(connection: asyncpg.Connection, kept: timedelta) -> int:
    total = 0
    while dropped := affected(await connection.execute(_EXPIRED, kept, ROWS)):
        total += dropped
    metrics.DEAD_LETTERS_DROPPED.labels("expired").inc(total)
    return total


async def drop_surplus(connection: asyncpg.Connection, limit: int) -> int:
    """What each account has beyond the limit, of those that nobody replayed."""
    total = 0
    metrics.DEAD_LETTERS_KEPT.clear()
    for account, letters, waiting in await connection.fetch(_COUNTED):
        surplus = waiting - limit
        while surplus > 0 and (dropped := affected(await connection.execute(_OF_ACCOUNT, account, min(surplus, ROWS)))):
            surplus, total, letters = surplus - dropped, total + dropped, letters - dropped
        metrics.DEAD_LETTERS_KEPT.labels(account).set(letters)
    metrics.DEAD_LETTERS_DROPPED.labels("over_limit").inc(total)
    return total
