"""A run on a stack that is up."""

from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import asyncpg

from bench.profiles import Load
from bench.run import Run
from bench.stack import Stack
from profuse.stack.finding import settings_of


@asynccontextmanager
async def opened(stack: Stack, load: Load, rounds: int, seconds: float) -> AsyncIterator[Run]:
    settings = settings_of(stack.directory)
    async with asyncpg.create_pool(stack.postgres, server_settings={"search_path": settings.prefix}, min_size=1, max_size=2) as pool:
        yield Run(stack, settings, pool, load, rounds, seconds)
