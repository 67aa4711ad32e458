"""SQL of what an account has configured, as its own numbers name it."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg

from ingest.sql.accounts import NUMBERS
from schemas.ids import TriggerNumber

# One at least, because each row tells how many there are.
_DATABASES = (
    "SELECT number AS id, left(name, 255) AS name, count(*) OVER () AS total FROM databases WHERE account = $1 AND number >= $2 "
    "ORDER BY number LIMIT greatest($3, 1)"
)
_TRIGGERS = """
SELECT number AS id, left(name, 255) AS name, type, active AS is_active, count(*) OVER () AS total FROM triggers
WHERE account = $1 AND number >= $2 AND ($4::boolean IS NULL OR active = $4) ORDER BY number
LIMIT greatest($3, 1)
"""
_TRIGGER = """
SELECT t.number, t.name, t.type, t.active, t.channel, t.skip_minutes, t.unconditional_sending, t.sender, t.subject, t.html, t.text, t.title,
    t.link, t.body, t.provider, t.pace, t.spread, t.fields, d.number AS database, r.number AS resource
FROM triggers t JOIN databases d ON d.id = t.database LEFT JOIN resources r ON r.id = t.resource
WHERE t.account = $1 AND t.number = $2
"""


@dataclass(frozen=True)
class Listed:
    """A part of a list, and how long all of it is, from its beginning on."""

    rows: Sequence[dict[str, Any]]
    total: int


async def databases(connection: asyncpg.Connection, account: int, start: int, limit: int) -> Listed:
    return _listed(await connection.fetch(_DATABASES, account, start, limit), limit)


async def triggers(connection: asyncpg.Connection, account: int, start: int, limit: int, *, active: bool | None) -> Listed:
    return _listed(await connection.fetch(_TRIGGERS, account, start, limit, active), limit)


async def trigger(connection: asyncpg.Connection, account: int, number: TriggerNumber) -> asyncpg.Record | None:
    return await connection.fetchrow(_TRIGGER, account, number) if number in NUMBERS else None


def _listed(rows: Sequence[asyncpg.Record], limit: int) -> Listed:
    shown = [{name: value for name, value in row.items() if name != "total"} for row in rows[:limit]]
    return Listed(shown, rows[0]["total"] if rows else 0)
