"""Breaks the stack turn by turn, with calms in which nothing is broken, and writes down what happened when."""

import asyncio
import time
from collections.abc import Callable, Iterator
from dataclasses import replace

from profuse.torture.chronicle import Chronicle, Span, Strike
from profuse.torture.faults import FAULTS
from profuse.torture.ground import Ground, Impossible
from profuse.torture.plan import Turn
from profuse.torture.recovery import Watch
from profuse.torture.report import SEVERAL, Report

# A calm begins so long after the last fault has healed: until then its backlog drains.
_SETTLES = 5.0
_CALM = 20.0


class Breaking:
    """`at_work` tells the producers to rest in a calm: what is measured there is what the neighbours make of one another."""

    def __init__(self, ground: Ground, watch: Watch, at_work: asyncio.Event, cut: Callable[[], int], report: Report) -> None:
        self.chronicle = Chronicle()
        self._ground = ground
        self._watch = watch
        self._at_work = at_work
        # How many requests ended without an answer, so far.
        self._cut = cut
        self._report = report
        # Faults from which the stack has not healed: what, and since when.
        self._open: list[tuple[str, float]] = []

    async def run(self, turns: Iterator[Turn], minutes: float) -> None:
        """Until the time is over, with a calm before and after."""
        await self.calm()
        end = time.monotonic() + minutes * 60
        for turn in turns:
            if time.monotonic() > end:
                break
            await self._take(turn)
        await self._heal()
        await self.calm()

    async def calm(self) -> None:
        self._at_work.clear()
        await asyncio.sleep(_SETTLES)
        began = time.time()
        await asyncio.sleep(_CALM)
        self.chronicle.calms.append(Span(began, time.time()))
        self._at_work.set()

    async def _take(self, turn: Turn) -> None:
        self._open += [(kind, time.time()) for kind in turn.faults]
        before = self._cut()
        grounds = {kind: replace(self._ground, random=dice) for kind, dice in turn.faults.items()}
        await asyncio.gather(*(self._inflict(kind, ground) for kind, ground in grounds.items()))
        if not turn.hurried:
            cause = turn.alone or SEVERAL
            self._report.recovered(cause, await self._heal())
            self._report.cut[cause] += self._cut() - before
        if turn.calm:
            await self.calm()

    async def _inflict(self, kind: str, ground: Ground) -> None:
        try:
            await FAULTS[kind](ground)
        except Impossible as why:
            self._report.impossible[kind] = str(why)
        else:
            self._report.faults[kind] += 1

    async def _heal(self) -> float:
        """Seconds until every partition moves again."""
        seconds = await self._watch.recovered()
        self.chronicle.strikes += [Strike(kind, began, time.time()) for kind, began in self._open]
        self._open.clear()
        return seconds
