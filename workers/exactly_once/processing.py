"""What will not pass is searched for by halves, and set aside alone."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

import asyncpg
import structlog
from tenacity import AsyncRetrying, retry_if_exception, stop_after_attempt, wait_random

from schemas.topics import M, Outgoing
from workers.exactly_once import dead_letters
from workers.exactly_once.chunks import Entry, Record, halves
from workers.exactly_once.circuit_breaker import CircuitBreaker
from workers.exactly_once.handler import Dead, Handler, TooMuch
from workers.exactly_once.trouble import Culprit, passes, unit_of_work

log = structlog.get_logger()


@dataclass(frozen=True)
class Burial:
    """What a chunk's transaction sets aside."""

    dead: Sequence[tuple[Record, Dead]] = ()
    accounts: Mapping[bytes, int] = field(default_factory=dict)

    @property
    def deaths(self) -> list[Dead]:
        return [dead for _, dead in self.dead]


def attempts() -> AsyncRetrying:
    """What may pass in another transaction is tried again at once, though not for ever."""
    return AsyncRetrying(retry=retry_if_exception(passes), stop=stop_after_attempt(3), wait=wait_random(0, 0.05), reraise=True)


async def burial_of(connection: asyncpg.Connection, chunk: Sequence[Entry[M]], breaker: CircuitBreaker) -> Burial:
    """Whose the messages are that cannot be processed; raises `LineStopped` if the code is to blame."""
    buried = [entry for entry in chunk if entry.message is None]
    if not buried:
        return Burial()
    origins = await dead_letters.origins(connection, [entry.dead() for entry in buried])
    accounts = {batch: origin.account for batch, origin in origins.items()}
    burial = Burial([(entry.record, dead_letters.placed(entry.dead(), origins)) for entry in buried], accounts)
    breaker.hold_if_broken(burial.deaths, len(chunk), accounts)
    return burial


async def searched(pool: asyncpg.Pool, handler: Handler[M], chunk: Sequence[Entry[M]], error: Exception) -> list[Entry[M]]:
    """The chunk, which ended with this error, with its culprits buried."""
    if len(chunk) == 1:
        log.warning("message_refused", topic=chunk[0].record.topic, offset=chunk[0].record.offset, why=str(error))
        return [chunk[0].buried(str(error))]
    return [entry for half in halves(chunk) for entry in await _looked_through(pool, handler, half)]


async def _looked_through(pool: asyncpg.Pool, handler: Handler[M], chunk: Sequence[Entry[M]]) -> list[Entry[M]]:
    try:
        async for attempt in attempts():
            with attempt, unit_of_work:
                await _try(pool, handler, chunk)
    except (Culprit, TooMuch) as error:
        return await searched(pool, handler, chunk, error)
    return list(chunk)


async def _try(pool: asyncpg.Pool, handler: Handler[M], chunk: Sequence[Entry[M]]) -> None:
    """Nothing stays of it, locks least of all: who kept them and wanted the next half's would lock up with those who go in order."""
    async with pool.acquire() as connection:
        trial = connection.transaction()
        await trial.start()
        try:
            await applied(connection, handler, chunk, [])
        finally:
            await trial.rollback()


async def applied(connection: asyncpg.Connection, handler: Handler[M], chunk: Sequence[Entry[M]], dead: Sequence[Dead]) -> list[Outgoing]:
    """The effects of those that are not buried, and of the deaths of those that are."""
    return await handler.apply(connection, [entry.prepared for entry in chunk if entry.message is not None], dead)
