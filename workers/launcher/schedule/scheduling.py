"""From matched profiles to durable launches."""

from collections.abc import AsyncGenerator, Callable, Collection, Iterator, Sequence
from dataclasses import dataclass

import asyncpg

from runtime.portions import portions
from runtime.producer import Publish
from schemas import metrics
from schemas.batches import BatchKind
from schemas.events import ProfileEvent
from schemas.ids import TriggerId
from schemas.messages import ProfilesMatched
from schemas.topics import MATCHES, Outgoing
from workers.exactly_once import Dead
from workers.launcher.groups import group, launches
from workers.launcher.schedule import imports, unreadable

# Items whose profiles are looked up at a time.
_MOST_ITEMS = 5_000
# Of events that wait for their confirmation at a time.
_MOST_BYTES = 2 * 1024 * 1024


Wake = Callable[[Collection[tuple[int, TriggerId]]], None]


@dataclass(frozen=True)
class Announced:
    """A message, and whether its batch starts a campaign for each item; one that is deleted starts nothing, and counts nothing."""

    message: ProfilesMatched
    starts: bool


class Scheduling:
    """The handler of `profuse.matches`; `wake` is called with the accounts and triggers that have something due already."""

    topic = MATCHES

    def __init__(self, pool: asyncpg.Pool, publish: Publish, outgoing: Callable[[ProfileEvent], Outgoing], wake: Wake) -> None:
        self._pool = pool
        self._publish = publish
        self._outgoing = outgoing
        self._wake = wake
        self._due: set[tuple[int, TriggerId]] = set()

    async def prepare(self, messages: Sequence[ProfilesMatched]) -> AsyncGenerator[Announced, None]:
        """Tell the world of the imports; the broker has it before the position moves."""
        for part in slices(messages):
            batches = await imports.batches_of(self._pool, part)
            told: list[Outgoing] = []
            size = 0
            async for event in imports.events_of(self._pool, part, batches):
                told.append(self._outgoing(event))
                size += len(told[-1].value)
                if size > _MOST_BYTES:
                    await self._publish(told)
                    told, size = [], 0
            await self._publish(told)
            for message in part:
                batch = batches.get(message.batch)
                yield Announced(message, batch is None or BatchKind(batch["kind"]).starts)

    async def apply(self, connection: asyncpg.Connection, announced: Sequence[Announced], dead: Sequence[Dead]) -> list[Outgoing]:
        started = group.started_by([each.message for each in announced])
        self._due = await launches.insert(connection, started)
        metrics.SCHEDULED.inc(sum(len(group.items) for group in started))
        # Their items are imported and answered; their launches have failed until a replay.
        given_up = unreadable.named(dead)
        await unreadable.give_up(connection, given_up)
        told = [(bytes.fromhex(each.message.batch), each.message.chunk) for each in announced if not each.starts]
        if told or given_up:
            await imports.mark_told(connection, [*told, *given_up])
        return []

    async def committed(self, messages: Sequence[ProfilesMatched]) -> None:
        # Only now: a claim before the commit would not see them.
        if self._due:
            self._wake(self._due)


def slices(messages: Sequence[ProfilesMatched]) -> Iterator[list[ProfilesMatched]]:
    """The messages in order, some at a time: a chunk may name millions of items."""
    return portions(messages, lambda message: len(message.items), _MOST_ITEMS)
