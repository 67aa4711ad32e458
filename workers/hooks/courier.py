"""One hook's way through one partition: choose a batch, note it, post it, move on."""

import asyncio
import random
import time
from dataclasses import dataclass

import asyncpg
import structlog

from runtime.crash_points import crash_point
from runtime.outbound.posting import InDoubt, NotSent, Poster
from runtime.outbound.signing import signed
from runtime.trouble import kind_of
from schemas import metrics
from schemas.settings import Settings
from workers.hooks import declared, positions, retries
from workers.hooks.budget import Budget, Taker
from workers.hooks.choosing import batch_of, next_batch, webhook_id
from workers.hooks.model import Batch, Bounds, Hook, Place
from workers.hooks.positions import PlaceLost
from workers.hooks.retries import Again, Gone, Taken, Verdict
from workers.hooks.supply import Supply

log = structlog.get_logger()


@dataclass(frozen=True)
class Tools:
    """What all couriers of a process share."""

    settings: Settings
    pool: asyncpg.Pool
    poster: Poster
    supply: Supply
    # Apart, so that hooks that hang take nothing from the others.
    well: Budget
    failing: Budget


class Courier:
    """Takes events to one hook, in order; `is_posting` while its batch is out."""

    def __init__(self, hook: Hook, place: Place, tools: Tools, rest: float) -> None:
        self.hook = hook
        self.place = place
        self.is_posting = False
        self._tools = tools
        # Seconds before it begins.
        self._rest = rest

    async def run(self, stop: asyncio.Event) -> None:
        """Until it is cancelled, or told to stop, or has lost its place, or its hook is paused. Raises what the servers raise."""
        rest: float | None = self._rest
        try:
            while rest is not None and not stop.is_set():
                # Nothing is held meanwhile: what failed is read again by its bounds.
                await asyncio.sleep(rest)
                await self._tools.supply.news(self.place, self.hook.account)
                rest = await self._turn()
        except PlaceLost:
            log.info("hook_place_lost", **self._named)

    @property
    def _named(self) -> dict[str, object]:
        return {"account": self.hook.account, "hook": self.hook.name, "partition": self.place.partition}

    async def _turn(self) -> float | None:
        """Seconds to rest; None where the hook is paused."""
        tools, largest = self._tools, self._tools.settings.hook_body_limit
        taker = Taker(self.hook.account, self.hook.id, self.place.attempts)
        async with tools.failing.share(largest, taker) if taker.attempts else tools.well.share(0, taker) as share:
            batch = await self._choose(tools.well.allowance(largest))
            if batch is None:
                return 0.0
            share.becomes(len(batch.body))
            self.is_posting = True
            try:
                crash_point("hooks:noted")
                verdict = await self._post(batch)
                crash_point("hooks:posted")
                return await self._settle(batch, verdict)
            finally:
                self.is_posting = False

    async def _choose(self, largest: int) -> Batch | None:
        """The batch that was noted, or the next one, which is noted."""
        place, supply = self.place, self._tools.supply
        if place.bounds is not None:
            if events := await supply.between(place.partition, place.bounds, self.hook.account):
                return batch_of(place.bounds, events)
            await self._lose(place.bounds)
            return None
        stretch = await supply.after(place.partition, place.position, self.hook.account)
        batch = next_batch(self.hook, stretch, largest)
        if batch is None:
            place.position = max(place.position, stretch.end)
        else:
            await positions.note(self._tools.pool, place, batch.bounds)
        return batch

    async def _lose(self, bounds: Bounds) -> None:
        """Nothing of a batch that was noted can be read any more."""
        log.error("hook_batch_gone", **self._named, first=bounds.first, last=bounds.last)
        lost = bounds.last + 1 - bounds.first
        await positions.lose(self._tools.pool, self.place, lost, bounds.last + 1)
        metrics.HOOK_LOST.labels(str(self.hook.account), self.hook.name).inc(lost)

    async def _post(self, batch: Batch) -> Verdict:
        hook = self.hook
        id_ = webhook_id(hook.id, self.place.partition, batch.bounds)
        try:
            headers = signed(hook.secrets, id_, int(time.time()), batch.body)
            return retries.judged(await self._tools.poster.post(hook.url, batch.body, headers, hook.timeout), hook.success)
        except NotSent as error:
            return Again(f"not sent: {error}")
        except InDoubt as error:
            return Again(f"no answer: {error}")
        except Exception as error:
            # Of whatever nobody foresaw only this hook's batch is the worse; its text may quote an address with its password.
            log.error("hook_trouble", **self._named, why=kind_of(error))  # noqa: TRY400
            return Again(f"trouble: {type(error).__name__}")

    async def _settle(self, batch: Batch, verdict: Verdict) -> float | None:
        metrics.HOOK_POSTS.labels(type(verdict).__name__.lower()).inc()
        if isinstance(verdict, Taken):
            await positions.move(self._tools.pool, self.place, batch.bounds.last + 1, verdict.answer)
            metrics.HOOK_EVENTS.inc(batch.count)
            crash_point("hooks:moved")
            return 0.0
        failing = await positions.fail(self._tools.pool, self.place, verdict.answer)
        if isinstance(verdict, Gone):
            await self._pause("it answered 410: gone")
            return None
        if failing.seconds >= self._tools.settings.hook_patience.total_seconds():
            await self._pause(f"it has failed for {failing.seconds / 3600:.1f} h, at last by: {verdict.answer}")
            return None
        seconds = retries.pause(failing.attempts, verdict.after, random.random())  # noqa: S311
        log.warning("hook_failed", **self._named, answer=verdict.answer, attempts=failing.attempts, seconds=round(seconds, 1))
        return seconds

    async def _pause(self, why: str) -> None:
        if await declared.pause(self._tools.pool, self.hook, why):
            metrics.HOOKS_PAUSED.labels(str(self.hook.account), self.hook.name).inc()
            todo = f"mend its receiver, then `profuse hooks resume {self.hook.name}`; events are kept for a while, see PROFUSE_EVENTS_KEPT"
            log.error("hook_paused", **self._named, why=why, todo=todo)
