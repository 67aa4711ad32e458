"""How long the loop stands: nothing else of the process goes on meanwhile."""

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager


@asynccontextmanager
async def watched() -> AsyncIterator[list[float]]:
    """Collects the seconds of work between two turns of the loop: of this thread, as other processes may want the processor, too."""
    stood: list[float] = []

    async def look() -> None:
        while True:
            before = time.thread_time()
            await asyncio.sleep(0)
            stood.append(time.thread_time() - before)

    looking = asyncio.create_task(look())
    yield stood
    looking.cancel()
