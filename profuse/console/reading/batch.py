"""SQL of one batch: what it is, and what failed in it."""

from collections.abc import AsyncIterator
from datetime import timedelta
from typing import Any

import asyncpg

from ingest.sql import results
from ingest.sql.results import Status

GROUPS = 100

_BATCH = """
SELECT batch.id, encode(batch.id, 'hex') AS shown, batch.account, account.name AS account_name, batch.kind, batch.matching,
    batch.field_name, batch.total, batch.accepted_at, batch.published_at, batch.due_at, batch.hastened_at, database.number AS database,
    trigger.number AS trigger, left(trigger.name, 255) AS trigger_name, request.request_id, request.path, token.name AS token,
    (SELECT max(finished_at) FROM launches WHERE batch = batch.id) AS last_launch_at
FROM batches AS batch
JOIN accounts AS account ON account.id = batch.account
JOIN databases AS database ON database.id = batch.database
LEFT JOIN triggers AS trigger ON trigger.id = batch.trigger
LEFT JOIN LATERAL (SELECT * FROM requests WHERE requests.batch = batch.id LIMIT 1) AS request ON true
LEFT JOIN tokens AS token ON token.id = request.token
WHERE batch.id = $1
"""
_ERRORS = """
SELECT key::int AS item, value AS error FROM batches, jsonb_each(rejects) WHERE id = $1
UNION ALL
SELECT key::int AS item, value AS error FROM results, jsonb_each(errors) WHERE batch = $1
"""
_FAILED_ITEMS = f"""
SELECT (error->>'error')::int AS error, error->>'error_text' AS error_text, error->>'field' AS field,
    count(*)::int AS items, min(item) AS first
FROM ({_ERRORS}) AS failed GROUP BY 1, 2, 3 ORDER BY items DESC, first LIMIT $2
"""  # noqa: S608  # constants
_FAILED_LAUNCHES = """
SELECT trigger.number AS trigger, failure.reason, count(*)::int AS launches, min(failure.item) AS first
FROM failures AS failure JOIN triggers AS trigger ON trigger.id = failure.trigger
WHERE failure.batch = $1 GROUP BY 1, 2 ORDER BY launches DESC, first LIMIT $2
"""
_ALL_ERRORS = f"""
SELECT item, error->>'error' AS error, error->>'error_text' AS error_text, error->>'field' AS field FROM ({_ERRORS}) AS failed ORDER BY item
"""  # noqa: S608  # constants
_ALL_FAILURES = """
SELECT failure.item, trigger.number AS trigger, encode(failure.profile, 'hex') AS profile, failure.reason
FROM failures AS failure JOIN triggers AS trigger ON trigger.id = failure.trigger
WHERE failure.batch = $1 ORDER BY failure.trigger, failure.item
"""


async def read(connection: asyncpg.Connection, id_: bytes) -> dict[str, Any] | None:
    row = await connection.fetchrow(_BATCH, id_)
    return None if row is None else dict(row)


async def status(connection: asyncpg.Connection, account: int, id_: bytes, incomplete_after: timedelta) -> Status | None:
    """As the API tells it."""
    return await results.status(connection, account, id_, incomplete_after)


async def failed_items(connection: asyncpg.Connection, id_: bytes) -> list[dict[str, Any]]:
    """By error and field, the most frequent first."""
    return [dict(row) for row in await connection.fetch(_FAILED_ITEMS, id_, GROUPS)]


async def failed_launches(connection: asyncpg.Connection, id_: bytes) -> list[dict[str, Any]]:
    """By trigger and reason, the most frequent first."""
    return [dict(row) for row in await connection.fetch(_FAILED_LAUNCHES, id_, GROUPS)]


async def failures(connection: asyncpg.Connection, id_: bytes) -> AsyncIterator[tuple[object, ...]]:
    """Every item that failed, then every launch: stage, item, error, its text, field, trigger, profile."""
    async with connection.transaction(readonly=True):
        async for row in connection.cursor(_ALL_ERRORS, id_):
            yield ("import", row["item"], row["error"], row["error_text"], row["field"], None, None)
        async for row in connection.cursor(_ALL_FAILURES, id_):
            yield ("launch", row["item"], None, row["reason"], None, row["trigger"], row["profile"])
