"""What an operator sees of hooks, and does to them."""

import asyncio
from collections.abc import Mapping, Sequence
from datetime import datetime
from typing import Any

import asyncpg
from sqlalchemy import Row, select, update
from sqlalchemy.ext.asyncio import AsyncConnection

from profuse.postgres import transaction
from runtime.broker import end_offsets
from runtime.errors import CannotRun
from runtime.kafka import BrokerUnavailable
from schemas.settings import Settings
from schemas.tables import hook_positions, hooks
from schemas.topics import EVENTS

# For a broker that is frozen.
_PATIENCE = 5.0


async def listed(settings: Settings, pool: asyncpg.Pool | None = None) -> list[dict[str, Any]]:
    """Each hook: whether it is active, or why it is paused, how far it is behind, and what it answered last; by `pool`, if there is one."""
    async with transaction(settings, pool) as connection:
        found = (await connection.execute(select(hooks).order_by(hooks.c.account, hooks.c.name))).all()
        places = (await connection.execute(select(hook_positions).order_by(hook_positions.c.partition))).all()
    ends = await _ends(settings, {place.partition for place in places})
    return [_shown(hook, [place for place in places if place.hook == hook.id], ends) for hook in found]


async def resume(settings: Settings, name: str, account: int | None) -> str:
    """Let a hook go on from where it stands, at once."""
    async with transaction(settings) as connection:
        hook = await _one(connection, name, account)
        await connection.execute(update(hooks).where(hooks.c.id == hook.id).values(_anew(paused_at=None, paused_because=None)))
        await connection.execute(_places(hook.id).values(fence=hook_positions.c.fence + 1, attempts=0, failing_since=None))
    return f"account {hook.account}, hook {name}: {'resumed' if hook.paused_at else 'was not paused; what it waits for is tried at once'}"


async def replay(settings: Settings, name: str, account: int | None, since: datetime) -> str:
    """Let a hook begin again at the events of a moment."""
    async with transaction(settings) as connection:
        hook = await _one(connection, name, account)
        await connection.execute(update(hooks).where(hooks.c.id == hook.id).values(_anew(since=since)))
        nowhere = {"position": None, "first": None, "last": None, "types": None}
        await connection.execute(_places(hook.id).values(fence=hook_positions.c.fence + 1, **nowhere))
    paused = "; it is paused, `profuse hooks resume` lets it go on" if hook.paused_at else ""
    return f"account {hook.account}, hook {name}: begins again at the events since {since.isoformat()}{paused}"


def _anew(**values: object) -> Mapping[str, object]:
    return {**values, "turn": hooks.c.turn + 1}


def _places(hook: int) -> Any:
    return update(hook_positions).where(hook_positions.c.hook == hook)


async def _one(connection: AsyncConnection, name: str, account: int | None) -> Row[Any]:
    named = select(hooks).where(hooks.c.name == name).with_for_update()
    found = (await connection.execute(named if account is None else named.where(hooks.c.account == account))).all()
    if not found:
        raise CannotRun(f"There is no hook {name}: `profuse hooks list` shows them.")
    if len(found) > 1:
        raise CannotRun(f"Accounts {', '.join(sorted(str(hook.account) for hook in found))} have a hook {name}: name one with --account.")
    return found[0]


async def _ends(settings: Settings, partitions: set[int]) -> dict[int, int]:
    """Where the partitions end; nothing where the broker is away."""
    topic = settings.topic(EVENTS.name)
    try:
        async with asyncio.timeout(_PATIENCE):
            ends = await end_offsets(settings, [(topic, partition) for partition in partitions]) if partitions else {}
    except (BrokerUnavailable, TimeoutError):
        return {}
    return {partition: end for (_, partition), end in ends.items()}


def _shown(hook: Row[Any], places: Sequence[Row[Any]], ends: Mapping[int, int]) -> dict[str, Any]:
    last = max(places, key=lambda place: (place.answered_at is not None, place.answered_at), default=None) if places else None
    # Nobody knows it of a hook that no process has seen yet, or while the broker is away.
    is_known = bool(places) and all(place.position is not None and place.partition in ends for place in places)
    failing = [place.failing_since for place in places if place.failing_since]
    return {
        "account": hook.account,
        "name": hook.name,
        "state": "inactive" if not hook.active else "paused" if hook.paused_at else "failing" if failing else "active",
        "why": hook.paused_because,
        "since": hook.paused_at or min(failing, default=None),
        "behind": sum(max(0, ends[place.partition] - place.position) for place in places) if is_known else None,
        "lost": sum(place.lost for place in places),
        "answer": last.answer if last else None,
        "answered_at": last.answered_at if last else None,
    }
