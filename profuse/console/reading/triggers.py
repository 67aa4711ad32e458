"""SQL of triggers: what they are, and how their launches went lately."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any

import asyncpg

from profuse.console.reading.counted import MOST

_SHOWN = 500

_LIST = """
SELECT trigger.id, trigger.account, trigger.number, left(trigger.name, 255) AS name, trigger.type, trigger.channel, trigger.active,
    (SELECT min(run_at) FROM launches
        WHERE launches.account = trigger.account AND launches.trigger = trigger.id AND finished_at IS NULL) AS next
FROM triggers AS trigger
WHERE $1::int IS NULL OR trigger.account = $1
ORDER BY trigger.account, trigger.number LIMIT $2
"""
# The groups of the newest batches, in the order of the primary key: no index has them by trigger once they are finished.
_VOLUME = """
SELECT trigger, sum(launched)::bigint AS launched, sum(skipped)::bigint AS skipped, sum(failed)::bigint AS failed,
    sum(cancelled)::bigint AS cancelled
FROM (SELECT batch, trigger, launched, skipped, failed, cancelled FROM launches ORDER BY batch DESC, trigger DESC LIMIT $1) AS newest
GROUP BY trigger
"""
_SINCE = """
SELECT accepted_at FROM batches WHERE id = (
    SELECT batch FROM (SELECT batch FROM launches ORDER BY batch DESC, trigger DESC LIMIT $1) AS newest ORDER BY batch LIMIT 1
)
"""
_ONE = """
SELECT trigger.id, trigger.account, account.name AS account_name, trigger.number, left(trigger.name, 255) AS name, trigger.type,
    trigger.channel, trigger.active, trigger.unconditional_sending, trigger.skip_minutes,
    trigger.pace, trigger.spread, trigger.provider, trigger.fields,
    database.number AS database, resource.number AS resource, resource.name AS resource_name
FROM triggers AS trigger
JOIN accounts AS account ON account.id = trigger.account
JOIN databases AS database ON database.id = trigger.database
LEFT JOIN resources AS resource ON resource.id = trigger.resource
WHERE trigger.account = $1 AND trigger.number = $2
"""
_REASONS = """
SELECT reason, count(*)::int AS launches, max(failed_at) AS newest FROM (
    SELECT trigger, reason, failed_at FROM failures ORDER BY batch DESC LIMIT $2
) AS newest WHERE trigger = $1 GROUP BY reason ORDER BY launches DESC LIMIT 50
"""
_ANYBODY = "SELECT encode(id, 'hex') FROM profiles WHERE database = (SELECT database FROM triggers WHERE id = $1) ORDER BY id DESC LIMIT 1"


@dataclass(frozen=True)
class Volume:
    """Launches of each trigger, by its row's id, in the groups of the newest batches; `since` the oldest of these was accepted."""

    since: datetime | None
    of: Mapping[int, Mapping[str, int]]

    def share_failed(self, trigger: int) -> float | None:
        ended = sum(self.of.get(trigger, {}).get(name, 0) for name in ("launched", "skipped", "failed"))
        return self.of[trigger]["failed"] / ended if ended else None


async def listed(connection: asyncpg.Connection, account: int | None) -> list[dict[str, Any]]:
    return [dict(row) for row in await connection.fetch(_LIST, account, _SHOWN)]


async def volume(connection: asyncpg.Connection) -> Volume:
    rows = await connection.fetch(_VOLUME, MOST)
    since = await connection.fetchval(_SINCE, MOST)
    return Volume(since, {row["trigger"]: {name: row[name] for name in ("launched", "skipped", "failed", "cancelled")} for row in rows})


async def read(connection: asyncpg.Connection, account: int, number: int) -> dict[str, Any] | None:
    row = await connection.fetchrow(_ONE, account, number)
    return None if row is None else dict(row)


async def reasons(connection: asyncpg.Connection, id_: int) -> list[dict[str, Any]]:
    """Why its launches failed, the most frequent first."""
    return [dict(row) for row in await connection.fetch(_REASONS, id_, MOST)]


async def anybody(connection: asyncpg.Connection, id_: int) -> str | None:
    """The newest profile of its database, to begin a preview with."""
    found: str | None = await connection.fetchval(_ANYBODY, id_)
    return found
