"""Several works of which the first to end decides; work that may be cut off, and rests that end when we are told to stop."""

import asyncio
from collections.abc import Coroutine
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
        await asyncio.wait_for(stop.wait(), seconds)


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


async def within_grace(stop: asyncio.Event, grace: float, work: Coroutine[Any, Any, T]) -> T | None:
    """What the work returns, or None when it lasted longer than `grace` seconds after we were told to stop."""
    return await unless(_over(stop, grace), work)


async def _over(stop: asyncio.Event, grace: float) -> None:
    await stop.wait()
    await asyncio.sleep(grace)
