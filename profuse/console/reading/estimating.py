"""How many rows the planner expects, without looking at them."""

import json
from datetime import timedelta

import asyncpg

_GROUPS = """
EXPLAIN (FORMAT JSON) SELECT FROM launches
WHERE account = $1 AND trigger = $2 AND finished_at IS NULL AND run_at >= now() + $3::interval AND run_at < now() + $4::interval
"""


async def groups(connection: asyncpg.Connection, account: int, trigger: int, since: timedelta, until: timedelta) -> int:
    """Pending groups of a trigger that run within some time from now, by Postgres' statistics."""
    plan = json.loads(await connection.fetchval(_GROUPS, account, trigger, since, until))
    return int(plan[0]["Plan"]["Plan Rows"])
