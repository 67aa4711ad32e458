"""What became of launches is marked, then told: nobody may hear of a launch that will be repeated."""

import random
from collections import Counter, defaultdict
from collections.abc import Mapping
from datetime import timedelta
from typing import TypeGuard

import asyncpg
import structlog
from tenacity import AsyncRetrying, RetryCallState, retry_if_exception, wait_fixed

from runtime.advice import todo
from runtime.crash_points import crash_point
from runtime.kafka import BrokerUnavailable
from runtime.postgres import AWAY
from runtime.producer import Publish
from runtime.together import Together
from runtime.trouble import Trouble, trouble_of
from schemas import metrics
from schemas.settings import Settings
from schemas.topics import Outgoing
from workers.exactly_once.progress import pack
from workers.launcher import events
from workers.launcher.deliver.gates import PutOff
from workers.launcher.deliver.retries import MOST_DOUBTS, Patience, jittered
from workers.launcher.deliver.telling import Endings, parts
from workers.launcher.deliver.work import Work
from workers.launcher.groups import marks
from workers.launcher.groups.group import Leaving
from workers.launcher.groups.marks import Marked, Marks
from workers.launcher.groups.naming import LeaseLost
from workers.launcher.model import Campaign, Ending, Outcome

log = structlog.get_logger()

_AGAIN_AFTER = 1.0


class Marking:
    """Writes marks with their events as the group's outbox, and publishes them."""

    def __init__(self, settings: Settings, pool: asyncpg.Pool, together: Together, publish: Publish) -> None:
        self._outgoing = events.outgoing_of(settings)
        self._pool = pool
        self._together = together
        self._publish = publish
        self._patience = Patience(settings.launch_patience, settings.held_patience)

    async def settle(
        self, work: Work, campaign: Campaign, endings: Endings, emails: Mapping[bytes, str | None], own: Mapping[int, str]
    ) -> None:
        """`own` is what items brought themselves, by position. Raises `LeaseLost`.

        A broker that is away makes the work silent; what is marked meanwhile is kept for later.
        """
        if not endings:
            return
        final = {position: self._final(work, ending) for position, ending in endings.items()}
        for part, told in parts(self._outgoing, work, campaign, final, emails, own):
            await self._mark(work, part, told)

    def _final(self, work: Work, ending: Outcome | PutOff) -> Outcome | PutOff:
        """A launch that was put off for the last time has failed."""
        if isinstance(ending, Outcome):
            return ending
        if ending.in_doubt and work.group.doubts >= MOST_DOUBTS:
            return Outcome(Ending.FAIL, f"gave up, as nobody knows whether it arrived: {ending.why}")
        if self._patience.rest(work.group.nth()) is None:
            return Outcome(Ending.FAIL, f"gave up: {ending.why}")
        return ending

    async def _mark(self, work: Work, part: Endings, told: list[Outgoing]) -> None:
        work.untold += told
        await self._written(work, self._marks(work, part))
        work.left -= part.keys()
        counts = Counter(ending.ending for ending in part.values() if isinstance(ending, Outcome))
        for ending, count in counts.items():
            metrics.LAUNCHES.labels(ending).inc(count)
        crash_point("delivery:marked")
        if work.silent is None:
            await self.tell(work)
        crash_point("delivery:published")

    async def tell(self, work: Work) -> None:
        """Publish what the world has not heard of, or make the work silent."""
        try:
            await self._publish(work.untold)
            work.untold = []
        except BrokerUnavailable as error:
            work.silent = str(error)

    def _marks(self, work: Work, part: Endings) -> Marks:
        by_ending = {ending: [at for at, each in part.items() if isinstance(each, Outcome) and each.ending is ending] for ending in Ending}
        put_off = {at: each for at, each in part.items() if isinstance(each, PutOff)}
        return Marks(
            by_ending[Ending.SEND],
            by_ending[Ending.SKIP],
            by_ending[Ending.FAIL],
            by_ending[Ending.CANCEL],
            list(put_off),
            self._leaving(work, put_off),
            # A message that could not be read is a dead letter, whose replay starts them.
            {} if work.group.doomed else {at: str(each.reason) for at, each in part.items() if _failed(each)},
        )

    def _leaving(self, work: Work, put_off: Mapping[int, PutOff]) -> list[Leaving]:
        rest = self._patience.rest(work.group.nth())
        if not put_off or rest is None:
            return []
        metrics.PUT_OFF.inc(len(put_off))
        # Those in doubt apart, because these have fewer attempts; those that were asked to wait longer, too.
        parted: defaultdict[tuple[bool, float], list[int]] = defaultdict(list)
        for at, each in put_off.items():
            parted[each.in_doubt, each.rest].append(at)
        return [
            work.group.leaving(at, work.group.doubts + in_doubt, max(jittered(rest, random.random()), timedelta(seconds=asked)))  # noqa: S311
            for (in_doubt, asked), at in parted.items()
        ]

    async def _written(self, work: Work, marks: Marks) -> None:
        """Tried again while Postgres is away or full: given up, what was sent would be sent again with the next claim."""
        marked = Marked(work.group, marks, pack(work.untold))
        try:
            await self._write(marked)
        except AWAY as error:
            if trouble_of(error) is not Trouble.WORLD:
                raise
            # Only now: what counts attempts costs more than one that succeeds.
            again = retry_if_exception(lambda error: trouble_of(error) is Trouble.WORLD)
            async for attempt in AsyncRetrying(retry=again, wait=wait_fixed(_AGAIN_AFTER), before_sleep=_waits, reraise=True):
                with attempt:
                    await self._write(marked)

    async def _write(self, marked: Marked) -> None:
        if marked.marks.groups or marked.marks.reasons:
            await marks.mark_and_leave(self._pool, marked)
        elif not await self._together.ask(marks.mark, marked):
            raise LeaseLost


def _failed(ending: Outcome | PutOff) -> TypeGuard[Outcome]:
    return isinstance(ending, Outcome) and ending.ending is Ending.FAIL


def _waits(state: RetryCallState) -> None:
    error = None if state.outcome is None else state.outcome.exception()
    log.warning("mark_waits", why=type(error).__name__, **(todo(error) if isinstance(error, Exception) else {}))
