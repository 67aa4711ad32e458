"""What became of launches is marked, then told: nobody may hear of a launch that will be repeated."""

import random
from collections import Counter, defaultdict
from collections.abc import Mapping, Sequence
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from typing import Any, TypeGuard

import asyncpg

from runtime.crash_points import crash_point
from runtime.kafka import BrokerUnavailable
from runtime.postgres import POSTGRES_ERRORS
from runtime.producer import Publish
from runtime.retrying import until_it_is_back
from runtime.together import Together
from runtime.trouble import Trouble, trouble_of
from schemas import metrics
from schemas.settings import Settings
from schemas.topics import Outgoing, pack
from workers.launcher import events
from workers.launcher.deliver import recipients
from workers.launcher.deliver.endings import Endings, PutOff
from workers.launcher.deliver.retries import MOST_DOUBTS, Patience, jittered
from workers.launcher.deliver.telling import Settled, parts
from workers.launcher.deliver.work import Work
from workers.launcher.groups import marks
from workers.launcher.groups.group import Group, Leaving
from workers.launcher.groups.marks import Marked, Marks
from workers.launcher.model import Campaign, Due, Ending, Outcome

_AGAIN_AFTER = 1.0


class Marking:
    """Writes marks with their events as the group's outbox, and publishes them."""

    def __init__(self, settings: Settings, pool: asyncpg.Pool, together: Together, publish: Publish) -> None:
        self._outgoing = events.outgoing_of(settings)
        self._pool = pool
        self._together = together
        self._publish = publish
        self._patience = Patience(settings.launch_patience, settings.held_patience)

    async def settle(self, settled: Sequence[Settled]) -> None:
        """A broker that is away makes a work silent; what is marked meanwhile is kept for later.

        Raises `LeaseLost` when no group is left; of others that are lost nothing is written, and nothing told.
        """
        date = datetime.now(UTC).isoformat()
        coming = [(each.work, parts(self._outgoing, each._replace(endings=self._final(each)), date)) for each in settled]
        # One part of each at a time, because a group has one outbox; most have no second.
        while together := [(work, *part) for work, rest in coming if work.lease.has(work.group) and (part := next(rest, None))]:
            await self._mark(together)

    def _final(self, settled: Settled) -> Endings:
        """Launches that were put off for the last time have failed."""
        final = dict(settled.endings)
        for position, ending in settled.endings.items():
            if isinstance(ending, PutOff) and (why := self._given_up(settled.work, ending)) is not None:
                final[position] = Outcome(Ending.FAIL, why, _subscription(settled.campaign, settled.due[position]))
        return final

    def _given_up(self, work: Work, ending: PutOff) -> str | None:
        """Why it is tried no more; None: it is."""
        if not ending.counts:
            return None
        if ending.in_doubt and work.group.doubts >= MOST_DOUBTS:
            return f"gave up, as nobody knows whether it arrived: {ending.why}"
        return f"gave up: {ending.why}" if self._patience.rest(work.group.nth()) is None else None

    async def _mark(self, together: Sequence[tuple[Work, Endings, list[Outgoing]]]) -> None:
        marked = []
        for work, part, told in together:
            work.untold += told
            marked.append(Marked(work.group, self._marks(work, part), pack(work.untold)))
        together[0][0].lease.lose(await self._written(marked))
        ours = [(work, part) for work, part, _ in together if work.lease.has(work.group)]
        for work, part in ours:
            work.left -= part.keys()
            work.lease.begins(work.group)
            work.sent = work.sent or any(isinstance(each, Outcome) and each.ending is Ending.SEND for each in part.values())
        for ending, count in Counter(each.ending for _, part in ours for each in part.values() if isinstance(each, Outcome)).items():
            metrics.LAUNCHES.labels(ending).inc(count)
        crash_point("delivery:marked")
        await self.tell([work for work, _ in ours if work.silent is None])
        crash_point("delivery:published")

    async def tell(self, works: Sequence[Work]) -> None:
        """Publish what the world has not heard of, or make the works silent."""
        try:
            await self._publish([record for work in works for record in work.untold])
        except BrokerUnavailable as error:
            for work in works:
                work.silent = str(error)
        else:
            for work in works:
                work.untold = []

    def _marks(self, work: Work, part: Endings) -> Marks:
        by_ending: defaultdict[Ending, list[int]] = defaultdict(list)
        put_off: dict[int, PutOff] = {}
        for at, each in part.items():
            if isinstance(each, PutOff):
                put_off[at] = each
            else:
                by_ending[each.ending].append(at)
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
        metrics.PUT_OFF.inc(len(put_off))
        # Those in doubt apart, because these have fewer attempts, or fewer ways; those that were asked to wait longer, too.
        parted: defaultdict[PutOff, list[int]] = defaultdict(list)
        for at, each in put_off.items():
            parted[replace(each, why="")].append(at)
        return [self._together_again(work.group, each, positions) for each, positions in parted.items()]

    def _together_again(self, group: Group, each: PutOff, positions: Sequence[int]) -> Leaving:
        rest, counts = self._rest(group.nth(), timedelta(seconds=each.rest)) if each.counts else (timedelta(), 0)
        return group.leaving(positions, group.doubts + each.in_doubt, each.doubted or group.doubted, rest, counts)

    def _rest(self, nth: int, asked: timedelta) -> tuple[timedelta, int]:
        """After the n-th attempt, and for how many attempts that one counts."""
        asked, dice = min(asked, self._patience.left(nth)), random.random()  # noqa: S311
        return max(jittered(self._patience.rest(nth) or timedelta(), dice), asked), self._patience.counts(nth, asked, dice)

    async def _written(self, marked: Sequence[Marked]) -> list[Group]:
        """Those that others have by now. Tried again while Postgres is away or full: given up, what was sent would be sent again."""
        try:
            return await self._write(marked)
        except POSTGRES_ERRORS as error:
            if trouble_of(error) is not Trouble.WORLD:
                raise
            # Only now: what counts attempts costs more than one that succeeds.
            async for attempt in until_it_is_back("mark_waits", _AGAIN_AFTER):
                with attempt:
                    return await self._write(marked)
            raise

    async def _write(self, marked: Sequence[Marked]) -> list[Group]:
        plain = [each for each in marked if each.is_plain()]
        ours = await self._together.ask_each(marks.mark, plain)
        lost = [each.group for each, is_ours in zip(plain, ours, strict=True) if not is_ours]
        return lost + [each.group for each in marked if not each.is_plain() and not await marks.mark_and_leave(self._pool, each)]


def _subscription(campaign: Campaign, due: Due) -> Mapping[str, Any] | None:
    """That its last attempt was for."""
    # Read again for the few that are given up: what is put off keeps no profile.
    recipient = None if due.profile is None else recipients.choose(campaign, due.profile())
    return None if recipient is None else recipient.subscription


def _failed(ending: Outcome | PutOff) -> TypeGuard[Outcome]:
    return isinstance(ending, Outcome) and ending.ending is Ending.FAIL
