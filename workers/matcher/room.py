"""The matcher: imports in; profiles, results and matches out."""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager

import asyncpg

from schemas import bits
from schemas.failures import CANNOT_BE_PROCESSED
from schemas.messages import ProfileImport
from schemas.settings import Settings
from schemas.topics import IMPORTS, MATCHES, Outgoing, Topic, item_headers
from workers.exactly_once import Dead, Stream, Unprocessable
from workers.matcher import matching, recording
from workers.matcher.announcing import announcement
from workers.matcher.batches import Batch
from workers.matcher.geo import open_geo
from workers.matcher.importing import Locate
from workers.matcher.loading import Batches
from workers.matcher.reading import Item, Outcome, read
from workers.postgres import open_pool
from workers.publisher import open_publisher

REMEMBERED_BATCHES = 4_096


class Importing:
    """What a chunk of imports does, inside the transaction that moves their positions."""

    topic: Topic[ProfileImport] = IMPORTS

    def __init__(self, matches: str, locate: Locate) -> None:
        self._matches = matches
        self._locate = locate
        self._batches = Batches(REMEMBERED_BATCHES)

    async def prepare(self, messages: Sequence[ProfileImport]) -> None:
        """Nothing that could not be part of the transaction."""

    async def committed(self, messages: Sequence[ProfileImport]) -> None:
        """Nothing is left to do."""

    async def apply(self, connection: asyncpg.Connection, messages: Sequence[ProfileImport]) -> list[Outgoing]:
        """Import the profiles, record how it ended, and say what to launch."""
        asked = await self._read(connection, messages)
        items = [each for each in asked if isinstance(each, Item)]
        outcomes = [each for each in asked if isinstance(each, Outcome)]
        outcomes += await matching.match(connection, items)
        return await self._record(connection, outcomes)

    async def fail(self, connection: asyncpg.Connection, dead: Sequence[Dead]) -> None:
        """Answer the items that their headers name and nobody has answered yet."""
        named = {(each.batch, each.item) for each in dead if each.batch is not None and each.item is not None}
        batches = await self._batches.load(connection, {batch for batch, _ in named})
        done = await recording.done(connection, batches)
        await self._record(
            connection,
            [
                Outcome(batches[batch], item, error=CANNOT_BE_PROCESSED)
                for batch, item in named
                if batch in done and item < batches[batch].total and not bits.is_set(done[batch], item)
            ],
        )

    async def _read(self, connection: asyncpg.Connection, messages: Sequence[ProfileImport]) -> list[Item | Outcome]:
        """What each message asks for; those whose item is done, or that repeat one of the chunk, are dropped."""
        ids = {message.batch: bytes.fromhex(message.batch) for message in messages}
        batches = await self._batches.load(connection, ids.values())
        strays = [at for at, message in enumerate(messages) if not _belongs(message, batches.get(ids[message.batch]))]
        if strays:
            raise Unprocessable(strays, "no such item in any batch")
        done = await recording.done(connection, batches)
        fresh: dict[tuple[bytes, int], ProfileImport] = {}
        for message in messages:
            batch = ids[message.batch]
            # A batch that was deleted had all its items answered.
            if batch in done and not bits.is_set(done[batch], message.item):
                fresh.setdefault((batch, message.item), message)
        return [read(message, batches[batch], self._locate) for (batch, _), message in fresh.items()]

    async def _record(self, connection: asyncpg.Connection, outcomes: Sequence[Outcome]) -> list[Outgoing]:
        chunks = recording.by_batch(outcomes)
        await recording.record(connection, chunks)
        matched = [announced for chunk in chunks if (announced := announcement(chunk))]
        return [
            Outgoing(self._matches, bytes.fromhex(each.batch), each.encode(), item_headers(bytes.fromhex(each.batch), each.chunk))
            for each in matched
        ]


def _belongs(message: ProfileImport, batch: Batch | None) -> bool:
    return batch is not None and message.item < batch.total


class Matcher:
    """One process of the room."""

    def __init__(self, stream: Stream[ProfileImport]) -> None:
        self._stream = stream

    async def run(self, stop: asyncio.Event) -> None:
        await self._stream.run(stop)

    def alive(self) -> list[str]:
        return self._stream.alive()

    async def ready(self) -> list[str]:
        return self._stream.problems() + await self._stream.edges.problems()


@asynccontextmanager
async def open_matcher(settings: Settings) -> AsyncIterator[Matcher]:
    async with AsyncExitStack() as stack:
        locate = stack.enter_context(open_geo(settings.geo))
        pool = await stack.enter_async_context(await open_pool(settings, 2))
        publisher = await stack.enter_async_context(open_publisher(settings))
        importing = Importing(settings.topic(MATCHES.name), locate)
        yield Matcher(Stream(settings, "matcher", importing, pool, publisher))
