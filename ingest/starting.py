"""A gateway from its first moment on: it waits for a database that is away, and takes no connection until it knows its partitions."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager, suppress

import asyncpg
import structlog

from ingest.gateway import Gateway
from ingest.publish.end_offsets import BROKER_AWAY, open_ends
from ingest.publish.producer import open_producer
from ingest.sql.pool import Pool, open_pool
from runtime import schema
from runtime.advice import POSTGRES_AWAY, todo
from runtime.allocator import give_back_large_blocks
from runtime.postgres import POSTGRES_ERRORS
from runtime.racing import rest
from runtime.schema import OldTables
from runtime.trouble import passes_by_itself
from schemas.settings import Settings
from schemas.topics import IMPORTS

log = structlog.get_logger()

_AGAIN_AFTER = 2.0


class NotMigrated(Exception):
    """The topics and tables are not what this gateway needs."""


class Starting:
    """What a process hosts: nothing but a wait at first, and a gateway then."""

    def __init__(self, settings: Settings, pool: Pool) -> None:
        self._settings = settings
        self._pool = pool
        self._gateway: Gateway | None = None

    async def run(self, stop: asyncio.Event) -> None:
        """Raises `NotMigrated`. A broker that is away is no reason to wait: requests are told so."""
        partitions = await self._partitions_at_last(stop)
        if partitions is None:
            return
        async with open_producer(self._settings, partitions) as producer, open_ends(self._settings, partitions) as ends:
            with suppress(*BROKER_AWAY):
                if problem := await producer.mismatch():
                    raise NotMigrated(problem)
            self._gateway = Gateway(self._settings, self._pool, producer, ends)
            await self._gateway.run(stop)

    def alive(self) -> list[str]:
        """A gateway whose tasks end has ended itself."""
        return []

    async def ready(self) -> list[str]:
        return [POSTGRES_AWAY] if self._gateway is None else await self._gateway.ready()

    async def _partitions_at_last(self, stop: asyncio.Event) -> int | None:
        """None if it was told to stop meanwhile."""
        while not stop.is_set():
            try:
                return await _partitions(self._pool, self._settings)
            except POSTGRES_ERRORS as error:
                # A password that is wrong is not one that will be right by itself.
                if not passes_by_itself(error):
                    raise
                log.warning("database_away", error=type(error).__name__, **todo(error))
            await rest(stop, _AGAIN_AFTER)
        return None


@asynccontextmanager
async def open_gateway(settings: Settings) -> AsyncIterator[Starting]:
    give_back_large_blocks()
    async with open_pool(settings) as pool:
        yield Starting(settings, pool)


async def _partitions(pool: Pool, settings: Settings) -> int:
    """How many partitions the imports topic was created with; keys must keep theirs."""
    with suppress(asyncpg.UndefinedTableError, OldTables):
        async with pool.acquire() as connection:
            await schema.check(connection)
            count = await connection.fetchval("SELECT count(*) FROM progress WHERE topic = $1", settings.topic(IMPORTS.name))
        if count:
            return int(count)
    raise NotMigrated("tables or topics are missing or old: run `profuse migrate`")
