"""How late the event loop comes to whoever waits for nothing but the clock."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

from schemas.metrics import LOOP_LATE

EVERY = 1.0


@asynccontextmanager
async def watched_loop() -> AsyncIterator[None]:
    watching = asyncio.create_task(_watch())
    try:
        yield
    finally:
        watching.cancel()


async def _watch() -> None:
    loop = asyncio.get_running_loop()
    while True:
        due = loop.time() + EVERY
        await asyncio.sleep(EVERY)
        LOOP_LATE.observe(max(loop.time() - due, 0.0))
