"""SQL of what stands still, for the first page."""

from dataclasses import dataclass
from datetime import datetime

import asyncpg

from profuse.console.reading.counted import MOST, Counted, bounded

# One probe of the index for each trigger.
_NEXT = """
SELECT min(own.run_at) AS next, now() AS now FROM triggers AS trigger, LATERAL (
    SELECT run_at FROM launches
    WHERE launches.account = trigger.account AND launches.trigger = trigger.id AND finished_at IS NULL ORDER BY run_at LIMIT 1
) AS own
"""
_DEAD = "SELECT count(*)::int FROM (SELECT FROM dead_letters ORDER BY created_at LIMIT $1) AS few"
_FAILED = "SELECT count(*)::int FROM (SELECT FROM failures LIMIT $1) AS few"
_WAYS = """
SELECT
    (SELECT count(*)::int FROM provider_states WHERE paused_at IS NOT NULL OR held_until > now()) AS providers,
    (SELECT count(*)::int FROM hooks WHERE active AND paused_at IS NOT NULL) AS hooks
"""


@dataclass(frozen=True)
class Standing:
    next: datetime | None
    # Since when a launch is due that nobody has begun, in seconds.
    overdue: float | None
    dead_letters: Counted
    failed_launches: Counted
    providers_closed: int
    hooks_paused: int


async def look(connection: asyncpg.Connection) -> Standing:
    due = await connection.fetchrow(_NEXT)
    ways = await connection.fetchrow(_WAYS)
    late = (due["now"] - due["next"]).total_seconds() if due["next"] else None
    return Standing(
        next=due["next"],
        overdue=late if late is not None and late > 0 else None,
        dead_letters=bounded(await connection.fetchval(_DEAD, MOST + 1)),
        failed_launches=bounded(await connection.fetchval(_FAILED, MOST + 1)),
        providers_closed=ways["providers"],
        hooks_paused=ways["hooks"],
    )
