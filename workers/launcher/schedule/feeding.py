"""The half of a launcher that depends on Kafka; the other half fires what is scheduled, whatever becomes of this one."""

import asyncio
from collections.abc import Callable

import structlog

from runtime import racing
from runtime.trouble import innermost
from schemas.messages import ProfilesMatched
from workers.exactly_once import Stream, Stuck
from workers.launcher.clock import clock

log = structlog.get_logger()

_SHORTEST_REST = 1.0
_LONGEST_REST = 60.0
# Seconds; who lasted longer begins with short rests again.
_WELL_AFTER = 120.0
_LOOK = 0.5


class Feeding:
    """Schedules by a stream, and begins anew with another one when that ends; only one that is stuck needs a new process."""

    def __init__(self, opened: Callable[[], Stream[ProfilesMatched]]) -> None:
        self._opened = opened
        self._stream = opened()
        # Why nothing is scheduled; empty while the stream runs.
        self._held = ""

    def alive(self) -> list[str]:
        return [] if self._held else self._stream.alive()

    async def ready(self) -> list[str]:
        held = [f"launches are fired, but none are scheduled: {self._held}"] if self._held else self._stream.problems()
        return held + await self._stream.probes.problems()

    async def run(self, stop: asyncio.Event) -> None:
        """Schedule until `stop` is set; raises `Stuck`."""
        rest = _SHORTEST_REST
        while not stop.is_set():
            began = clock()
            try:
                await self._running(stop)
            except Exception as error:  # the boundary of scheduling
                self._hold(innermost(error))
                rest = _SHORTEST_REST if clock() - began > _WELL_AFTER else min(2 * rest, _LONGEST_REST)
                await racing.rest(stop, rest)
                self._stream = self._opened()

    async def _running(self, stop: asyncio.Event) -> None:
        async with asyncio.TaskGroup() as tasks:
            running = tasks.create_task(self._stream.run(stop))
            looking = tasks.create_task(self._recovered())
            await asyncio.wait({running})
            looking.cancel()

    async def _recovered(self) -> None:
        """What held scheduling is over when the stream has found nothing wrong."""
        while self._held:
            await asyncio.sleep(_LOOK)
            if not self._stream.problems():
                self._held = ""

    def _hold(self, reason: BaseException) -> None:
        if isinstance(reason, Stuck):
            raise reason
        self._held = str(reason) or type(reason).__name__
        # No traceback: it may quote what somebody sent.
        log.error("scheduling_held", why=type(reason).__name__, todo=self._held)
