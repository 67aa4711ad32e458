"""What launchers tell one another of providers, in rows: advice that saves attempts, and the pause of one that is gone."""

import asyncpg
import structlog

from schemas import metrics
from workers.launcher.deliver.away import database_may_be_away
from workers.launcher.deliver.holds import FIRST_PROBE
from workers.launcher.model import Provider

log = structlog.get_logger()

# It said so often in a row that it is gone, and nothing else between.
MOST_GONE = 20

_HELD = """
INSERT INTO provider_states AS state (provider, held_until, held_since, why) VALUES ($1, now() + $2 * interval '1 second', now(), $3)
ON CONFLICT (provider) DO UPDATE
SET held_until = greatest(state.held_until, excluded.held_until), held_since = coalesce(state.held_since, now()),
    why = CASE WHEN state.paused_at IS NULL THEN excluded.why ELSE state.why END
"""
_GONE = """
INSERT INTO provider_states AS state (provider, gone) VALUES ($1, 1)
ON CONFLICT (provider) DO UPDATE
SET gone = state.gone + 1,
    paused_at = CASE WHEN state.gone + 1 >= $2 THEN coalesce(state.paused_at, now()) END,
    why = CASE WHEN state.gone + 1 >= $2 THEN 'it says that it is gone (HTTP 410)' ELSE state.why END
RETURNING gone, paused_at IS NOT NULL AS is_paused
"""
_PASSED = "UPDATE provider_states SET held_until = NULL, held_since = NULL, why = NULL, gone = 0 WHERE provider = $1 AND paused_at IS NULL"


class ProviderStates:
    """Writes only what changes: who passes an open provider costs no statement."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        # Of those of which we, or whoever wrote what we read, said anything but good.
        self._troubled: set[int] = set()

    async def held(self, provider: Provider | None, why: str, rest: float | None) -> None:
        """It takes nothing now; `rest`: seconds for which it asked."""
        if provider is not None:
            self._troubled.add(provider.id)
            await self._write(_HELD, provider.id, FIRST_PROBE if rest is None else rest, why)

    async def gone(self, provider: Provider | None) -> bool:
        """Whether it is paused, by this answer or one before."""
        if provider is None:
            return False
        self._troubled.add(provider.id)
        row = await self._write(_GONE, provider.id, MOST_GONE)
        if row is None:
            return False
        if row["gone"] == MOST_GONE:
            metrics.PROVIDERS_PAUSED.labels(provider.name).inc()
            todo = f"`profuse providers resume {provider.name}` when it is back; its launches wait for a week"
            log.error("provider_paused", provider=provider.name, answers=MOST_GONE, todo=todo)
        return bool(row["is_paused"])

    async def passed(self, provider: Provider | None) -> None:
        if provider is not None and (provider.id in self._troubled or provider.held_for is not None or provider.gone):
            self._troubled.discard(provider.id)
            await self._write(_PASSED, provider.id)

    async def _write(self, statement: str, *values: object) -> asyncpg.Record | None:
        # Advice: each launcher finds out by itself, too.
        with database_may_be_away("provider_state_waits"):
            return await self._pool.fetchrow(statement, *values)
        return None
