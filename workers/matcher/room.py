"""The matcher: imports in; profiles, results and matches out."""

import asyncio
from collections.abc import AsyncGenerator, AsyncIterator, Awaitable, Callable, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from functools import partial

import asyncpg

from runtime.postgres import open_pool
from runtime.producer import open_publisher
from runtime.tracing import traces
from schemas.item_errors import CANNOT_BE_PROCESSED
from schemas.messages import ProfileImport
from schemas.settings import Settings
from schemas.topics import IMPORTS, MATCHES, Outgoing, Topic, item_headers
from store import completion_hints
from workers.exactly_once import Dead, Stream, Unprocessable
from workers.matcher import matching, results
from workers.matcher.announcement import announcement
from workers.matcher.batch_cache import Batches
from workers.matcher.change import Locate
from workers.matcher.geo import open_geo
from workers.matcher.item import Item, Outcome, read

REMEMBERED_BATCHES = 4_096


class Importing:
    """What a chunk of imports does, inside the transaction that moves their positions."""

    topic: Topic[ProfileImport] = IMPORTS

    def __init__(self, pool: asyncpg.Pool, matches: str, locate: Locate, tell: Callable[[], Awaitable[None]]) -> None:
        self._pool = pool
        self._matches = matches
        self._locate = locate
        # That a batch is finished, those who wait for it.
        self._tell = tell
        self._batches = Batches(REMEMBERED_BATCHES)
        # Whether one was, by the last transaction.
        self._finished = False

    async def prepare(self, messages: Sequence[ProfileImport]) -> AsyncGenerator[Item | Outcome | Unprocessable, None]:
        """What each message asks for, parsed and checked."""
        batches = await self._batches.load(self._pool, {bytes.fromhex(message.batch) for message in messages})
        for message in messages:
            batch = batches.get(bytes.fromhex(message.batch))
            if batch is None or message.item >= batch.total:
                yield Unprocessable("no such item in any batch")
            else:
                yield read(message, batch, self._locate)

    async def committed(self, messages: Sequence[ProfileImport]) -> None:
        if self._finished:
            await self._tell()

    async def apply(self, connection: asyncpg.Connection, asked: Sequence[Item | Outcome], dead: Sequence[Dead]) -> list[Outgoing]:
        """Import the profiles, record how it ended, and say what to launch."""
        failed = await self._failed(connection, dead) if dead else []
        fresh = await results.fresh(connection, [*asked, *failed])
        outcomes = [each for each in fresh if isinstance(each, Outcome)]
        outcomes += await matching.match(connection, [each for each in fresh if isinstance(each, Item)])
        return await self._record(connection, outcomes)

    async def _failed(self, connection: asyncpg.Connection, dead: Sequence[Dead]) -> list[Outcome]:
        """What the items are answered that dead letters name."""
        named = {(each.batch, each.item) for each in dead if each.batch is not None and each.item is not None}
        batches = await self._batches.load(connection, {batch for batch, _ in named})
        known = [(batches[batch], item) for batch, item in named if batch in batches]
        return [Outcome(batch, item, error=CANNOT_BE_PROCESSED) for batch, item in known if item < batch.total]

    async def _record(self, connection: asyncpg.Connection, outcomes: Sequence[Outcome]) -> list[Outgoing]:
        chunks = results.by_batch(outcomes)
        self._finished = await results.record(connection, chunks)
        for failed in {outcome.batch.id for outcome in outcomes if outcome.error}:
            traces().failed(failed)
        announced = [(chunk[0].batch.id, announcement(chunk)) for chunk in chunks]
        return [Outgoing(self._matches, batch, each.encode(), item_headers(batch, each.chunk)) for batch, each in announced if each]


class Matcher:
    """One process of the room."""

    def __init__(self, stream: Stream[ProfileImport]) -> None:
        self._stream = stream

    async def run(self, stop: asyncio.Event) -> None:
        await self._stream.run(stop)

    def alive(self) -> list[str]:
        return self._stream.alive()

    async def ready(self) -> list[str]:
        return self._stream.problems() + await self._stream.probes.problems()


@asynccontextmanager
async def open_matcher(settings: Settings) -> AsyncIterator[Matcher]:
    async with AsyncExitStack() as stack:
        locate = stack.enter_context(open_geo(settings.geo))
        pool = await stack.enter_async_context(await open_pool(settings, 2))
        publisher = await stack.enter_async_context(open_publisher(settings))
        importing = Importing(pool, settings.topic(MATCHES.name), locate, partial(completion_hints.tell, pool, settings))
        yield Matcher(Stream(settings, "matcher", importing, pool, publisher))
