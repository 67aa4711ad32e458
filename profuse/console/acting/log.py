"""SQL of the log of actions: a row is there before its action begins."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import Any

import asyncpg
import msgspec

PAGE = 100
# Longer than a process that works says nothing.
_SILENT = timedelta(seconds=60)

_BEGIN = """
INSERT INTO console_actions (who, what, form, scope, counted) VALUES ($1, $2, $3, $4::jsonb, $5)
ON CONFLICT (form) DO NOTHING RETURNING id
"""
_SEEN = "UPDATE console_actions SET done = $2, seen_at = now() WHERE id = $1"
_END = "UPDATE console_actions SET done = $2, outcome = $3, failed = $4, ended_at = now(), seen_at = now() WHERE id = $1"
_READ = """
SELECT id, asked_at, who, what, scope::text AS scope, counted, done, outcome, failed, ended_at,
    CASE WHEN failed THEN 'failed' WHEN ended_at IS NOT NULL THEN 'done' WHEN seen_at < now() - $1::interval THEN 'interrupted'
    ELSE 'running' END AS state
FROM console_actions
"""


@dataclass(frozen=True)
class Action:
    id: int
    asked_at: datetime
    who: str
    what: str
    scope: dict[str, str]
    counted: int | None
    done: int
    outcome: str | None
    failed: bool
    ended_at: datetime | None
    state: str


@dataclass(frozen=True)
class Asked:
    who: str
    what: str
    # Of which each is one action, however often it is sent.
    form: str
    scope: dict[str, str]
    counted: int | None


async def begin(pool: asyncpg.Pool, asked: Asked) -> int | None:
    """Its id; None where that form was sent before."""
    scope = msgspec.json.encode(asked.scope).decode()
    found: int | None = await pool.fetchval(_BEGIN, asked.who, asked.what, asked.form, scope, asked.counted)
    return found


async def sent_before(pool: asyncpg.Pool, form: str) -> int:
    return int(await pool.fetchval("SELECT id FROM console_actions WHERE form = $1", form))


async def go_on(pool: asyncpg.Pool, id_: int, done: int) -> None:
    await pool.execute(_SEEN, id_, done)


async def end(pool: asyncpg.Pool, id_: int, done: int, outcome: str, *, failed: bool) -> None:
    await pool.execute(_END, id_, done, outcome, failed)


async def read(pool: asyncpg.Pool, id_: int) -> Action | None:
    row = await pool.fetchrow(f"{_READ} WHERE id = $2", _SILENT, id_)
    return None if row is None else _action(row)


async def listed(pool: asyncpg.Pool, before: int | None) -> list[Action]:
    """The newest first; one more than a page where there are more."""
    rows = await pool.fetch(f"{_READ} WHERE $2::bigint IS NULL OR id < $2 ORDER BY id DESC LIMIT $3", _SILENT, before, PAGE + 1)
    return [_action(row) for row in rows]


def _action(row: Any) -> Action:
    return Action(**{**dict(row), "scope": msgspec.json.decode(row["scope"])})
