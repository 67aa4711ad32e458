"""What is left to do when the faults are over: first all that tells of itself, then those who are told."""

import asyncio
import time

import asyncpg

from profuse import hooks
from profuse.torture.account import ACCOUNT
from profuse.torture.ground import COUNTS, Ground
from profuse.torture.recovery import Watch
from runtime.errors import CannotRun
from schemas.settings import Settings

_DRAINED_WITHIN = 300.0
_TOLD_WITHIN = 180.0
_LOOK_EVERY = 0.5

_PENDING = "SELECT count(*) FROM launches l JOIN batches b ON b.id = l.batch WHERE b.account = $1 AND l.finished_at IS NULL"


async def drained(settings: Settings, watch: Watch, began: float) -> float | None:
    """Seconds until nothing of the account that is counted is left to do; None if that took too long."""
    while time.monotonic() - began < _DRAINED_WITHIN:
        seen = await watch.look()
        if seen is not None and seen.lag() == 0 and await _pending(settings) == 0:
            return time.monotonic() - began
        await asyncio.sleep(_LOOK_EVERY)
    return None


async def all_told(settings: Settings, ground: Ground) -> None:
    """Stop whoever tells, and wait until the hooks have it all, as long as may be expected; what they lack then is seen later."""
    await ground.up({room: count if room == "hooks" else 0 for room, count in COUNTS.items()})
    deadline = time.monotonic() + _TOLD_WITHIN
    while time.monotonic() < deadline:
        if await _are_told(settings):
            return
        await asyncio.sleep(_LOOK_EVERY)


async def _are_told(settings: Settings) -> bool:
    try:
        return all(hook["behind"] == 0 for hook in await hooks.listed(settings))
    except CannotRun:
        return False


async def _pending(settings: Settings) -> int:
    connection = await asyncpg.connect(settings.postgres, server_settings={"search_path": settings.prefix})
    try:
        return int(await connection.fetchval(_PENDING, ACCOUNT))
    finally:
        await connection.close()
