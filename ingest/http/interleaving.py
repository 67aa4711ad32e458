"""Long work in steps, so that other requests get their turn in between."""

import asyncio
from collections.abc import Generator
from typing import TypeVar

R = TypeVar("R")


async def in_turns(steps: Generator[None, None, R]) -> R:
    """What the steps return."""
    while True:
        try:
            next(steps)
        except StopIteration as done:
            result: R = done.value
            return result
        await asyncio.sleep(0)
