"""Several works of which the first to end decides, and rests that end when we are told to stop."""

import asyncio
from collections.abc import Coroutine
from contextlib import suppress
from typing import Any


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
