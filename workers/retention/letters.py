"""Dead letters that were replayed, that waited too long, or that are too many of one account; their items are answered."""

from datetime import timedelta
from functools import partial

import asyncpg

from schemas import metrics
from store import dead_letters
from workers.retention.halving import Portion, until_none

ROWS = 1_000

# The oldest first, past those that somebody replays just now.
_OLDEST = """
SELECT topic, partition, "offset" FROM dead_letters WHERE {condition} ORDER BY created_at LIMIT $2 FOR UPDATE SKIP LOCKED
"""
# What was replayed keeps its batch until whoever reads the record has come to it.
_EXPIRED = _OLDEST.format(condition="created_at < now() - $1::interval AND replayed_at IS NULL")
_OF_ACCOUNT = _OLDEST.format(condition="account = $1 AND replayed_at IS NULL")
_REPLAYED = _OLDEST.format(condition="replayed_at < now() - $1::interval")
_WAITING = "SELECT account, count(*) FROM dead_letters WHERE replayed_at IS NULL GROUP BY account"


async def drop_replayed(connection: asyncpg.Connection, kept: timedelta) -> int:
    return await until_none(partial(_drop, connection, _REPLAYED, kept), ROWS)


async def drop_expired(connection: asyncpg.Connection, kept: timedelta) -> int:
    total = await until_none(partial(_drop, connection, _EXPIRED, kept), ROWS)
    metrics.DEAD_LETTERS_DROPPED.labels("expired").inc(total)
    return total


async def drop_surplus(connection: asyncpg.Connection, limit: int) -> int:
    """What each account has beyond the limit, of those that nobody replayed."""
    total = 0
    metrics.DEAD_LETTERS_KEPT.clear()
    for account, waiting in await connection.fetch(_WAITING):
        dropped = await _drop_oldest(connection, account, waiting - limit)
        metrics.DEAD_LETTERS_KEPT.labels(account).set(waiting - dropped)
        total += dropped
    metrics.DEAD_LETTERS_DROPPED.labels("over_limit").inc(total)
    return total


async def _drop_oldest(connection: asyncpg.Connection, account: int, surplus: int) -> int:
    portion, left = Portion(ROWS), surplus
    while left > 0 and (dropped := await portion.of(partial(_drop, connection, _OF_ACCOUNT, account), left)):
        left -= dropped
    return max(surplus, 0) - max(left, 0)


async def _drop(connection: asyncpg.Connection, chosen: str, by: timedelta | int, most: int) -> int:
    async with connection.transaction():
        return await dead_letters.drop(connection, await connection.fetch(chosen, by, most))
