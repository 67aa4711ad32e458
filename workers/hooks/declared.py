"""The hooks as operators declare them."""

import asyncpg

from workers.hooks.model import Hook


async def active(pool: asyncpg.Pool) -> list[Hook]:
    """Those that are to be told of events now."""
    rows = await pool.fetch(
        "SELECT id, account, name, url, secrets, events, batch, timeout, success, since, turn FROM hooks WHERE active AND paused_at IS NULL"
    )
    return [_hook(row) for row in rows]


async def pause(pool: asyncpg.Pool, hook: Hook, why: str) -> bool:
    """Until an operator resumes it; False where somebody else was quicker, or began it anew."""
    paused = await pool.fetchval(
        "UPDATE hooks SET paused_at = now(), paused_because = $3 WHERE id = $1 AND turn = $2 AND paused_at IS NULL RETURNING id",
        hook.id,
        hook.turn,
        why,
    )
    return paused is not None


def _hook(row: asyncpg.Record) -> Hook:
    events = None if row["events"] is None else frozenset(row["events"])
    return Hook(**{**row, "secrets": tuple(row["secrets"]), "events": events})
