"""Several works of which the first to end decides; work that may be cut off, and rests that end when we are told to stop."""

import asyncio
from collections.abc import Callable, Coroutine
from contextlib import suppress
from typing import Any, TypeVar

T = TypeVar("T")


async def first(*works: Coroutine[Any, Any, Any]) -> Any:
    """The result of the first to end, once the others are cancelled and have cleaned up."""
    tasks = [asyncio.ensure_future(work) for work in works]
    try:
        done, _ = await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        await asyncio.gather(*tasks, return_exceptions=True)
    results = [task.result() for task in tasks if task in done]
    return results[0]


async def rest(stop: asyncio.Event, seconds: float) -> None:
    """Wait so long, but no longer than until we are told to stop."""
    with suppress(TimeoutError):
        # Not by `wait_for`: that of Python 3.11 forgets that it was cancelled, if what it waits for comes in the same moment.
        async with asyncio.timeout(seconds):
            await stop.wait()


async def unless(happens: Coroutine[Any, Any, None], work: Coroutine[Any, Any, T]) -> T | None:
    """What the work returns, or None when it was cut off; raises what either of them raises."""
    tasks = working, happening = asyncio.create_task(work), asyncio.create_task(happens)
    try:
        await asyncio.wait(tasks, return_when=asyncio.FIRST_COMPLETED)
    finally:
        for task in tasks:
            task.cancel()
        # Whoever is cut off lets go of what he holds, before anybody else goes on.
        await asyncio.wait(tasks)
    trouble = None if happening.cancelled() else happening.exception()
    if not working.cancelled():
        return working.result()
    if trouble is not None:
        raise trouble
    return None


async def unless_later(seconds: float, happens: Callable[[], Coroutine[Any, Any, None]], work: Coroutine[Any, Any, T]) -> T | None:
    """As `unless`, of what is not looked for before so many seconds: work that is over by then costs no task."""
    watched = _Watched(happens)
    timer = asyncio.get_running_loop().call_later(seconds, watched.begin)
    try:
        return await work
    except asyncio.CancelledError:
        if not watched.cuts():
            raise
    finally:
        timer.cancel()
        await watched.end()
    watched.tell()
    return None


class _Watched:
    """What may happen to the work of the task that makes this, and cuts it off."""

    def __init__(self, happens: Callable[[], Coroutine[Any, Any, None]]) -> None:
        self._happens = happens
        self._working = asyncio.current_task()
        self._asked = 0 if self._working is None else self._working.cancelling()
        self._happening: asyncio.Task[None] | None = None
        self._over = False

    def begin(self) -> None:
        self._happening = asyncio.create_task(self._happens())
        self._happening.add_done_callback(self._cut)

    def _cut(self, _: asyncio.Task[None]) -> None:
        # It may be heard of when the work is over.
        if self._working is not None and not self._over:
            self._working.cancel()

    def cuts(self) -> bool:
        """Whether this cut it off, and nobody else did at the same time."""
        happened = self._happening is not None and self._happening.done()
        return happened and self._working is not None and self._working.uncancel() <= self._asked

    async def end(self) -> None:
        self._over = True
        if self._happening is not None:
            self._happening.cancel()
            await asyncio.wait({self._happening})

    def tell(self) -> None:
        """Raises what happened, if that was an error."""
        if self._happening is not None and not self._happening.cancelled():
            self._happening.result()


async def within_grace(stop: asyncio.Event, grace: float, work: Coroutine[Any, Any, T]) -> T | None:
    """What the work returns, or None when it lasted longer than `grace` seconds after we were told to stop."""
    return await unless(_over(stop, grace), work)


async def _over(stop: asyncio.Event, grace: float) -> None:
    await stop.wait()
    await asyncio.sleep(grace)
