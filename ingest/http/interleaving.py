"""Long work in steps, so that other requests get their turn in between."""

import asyncio
import time
from collections.abc import Generator
from typing import TypeVar

from ingest.admission.budget import Share

# Seconds; who is done by then does not stand in line with those who take longer.
_MOMENT = 0.002

R = TypeVar("R")


async def in_turns(steps: Generator[None, None, R], share: Share) -> R:
    """What the steps of a request return; `share` is its part of what the gateway has."""
    worked, began = 0.0, time.monotonic()
    while True:
        try:
            next(steps)
        except StopIteration as done:
            result: R = done.value
            return result
        worked += time.monotonic() - began
        await (share.others_first() if worked > _MOMENT else asyncio.sleep(0))
        began = time.monotonic()
