"""Does deeds in the background, so that nobody has to keep a page open."""

import asyncio

import asyncpg
import structlog

from profuse.console.acting import log
from profuse.console.acting.deed import Deed, Done, Means, Scope
from profuse.console.acting.log import Asked
from runtime.errors import CannotRun
from runtime.postgres import POSTGRES_ERRORS
from runtime.retrying import tell, until_it_is_back

logger = structlog.get_logger()

_TOLD_EVERY = 1.0
_WAITS = "action_log_waits"
# Of the ten seconds that a process has to stop.
_GOODBYE = 5.0


class Jobs:
    """The deeds that this process works on."""

    def __init__(self, means: Means, pool: asyncpg.Pool) -> None:
        self._means = means
        self._pool = pool
        self._tasks: set[asyncio.Task[None]] = set()

    async def begin(self, deed: Deed, asked: Asked) -> int:
        """Log it, start it, and return its id."""
        id_ = await log.begin(self._pool, asked)
        if id_ is None:
            return await log.sent_before(self._pool, asked.form)
        task = asyncio.create_task(self._do(id_, deed, asked))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return id_

    async def stop(self) -> None:
        """What is under way ends where it is, and its row says so."""
        tasks = list(self._tasks)
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)

    async def _do(self, id_: int, deed: Deed, asked: Asked) -> None:
        logger.info("action_begun", action=id_, what=asked.what, who=asked.who)
        count = _Count()
        try:
            done = await self._told(id_, deed, asked.scope, count)
        except CannotRun as why:
            await self._end(id_, count.so_far, str(why), failed=True)
        except asyncio.CancelledError:
            # A process that is to stop waits for nobody.
            async with asyncio.timeout(_GOODBYE):
                await self._end(id_, count.so_far, "The console was stopped: do it again, what is done stays done.", failed=True)
            raise
        # The boundary of an action: whatever goes wrong inside ends as its failure.
        except Exception as error:
            logger.exception("action_failed", action=id_, what=asked.what)
            await self._end(id_, count.so_far, f"It failed ({type(error).__name__}): the console's log says more.", failed=True)
        else:
            await self._end(id_, done.count, done.said, failed=False)
            logger.info("action_done", action=id_, what=asked.what, who=asked.who, count=done.count)

    async def _told(self, id_: int, deed: Deed, scope: Scope, count: "_Count") -> Done:
        teller = asyncio.create_task(self._tell(id_, count))
        try:
            return await deed.run(self._means, scope, count.add)
        finally:
            teller.cancel()
            # Or its last word would come after the end's.
            await asyncio.gather(teller, return_exceptions=True)

    async def _tell(self, id_: int, count: "_Count") -> None:
        while True:
            await asyncio.sleep(_TOLD_EVERY)
            try:
                await log.go_on(self._pool, id_, count.so_far)
            except POSTGRES_ERRORS as error:
                # Silent for good, an action that goes on would look as if its process had died.
                tell(_WAITS, error)

    async def _end(self, id_: int, done: int, said: str, *, failed: bool) -> None:
        """Tried again while Postgres is away: untold, what has ended would look interrupted for good."""
        async for attempt in until_it_is_back(_WAITS, _TOLD_EVERY):
            with attempt:
                await log.end(self._pool, id_, done, said, failed=failed)


class _Count:
    def __init__(self) -> None:
        self.so_far = 0

    def add(self, more: int) -> None:
        self.so_far += more
