"""What a room has to offer so that its messages take effect exactly once."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

import asyncpg

from schemas.topics import M, Outgoing, Topic


class Surprise(Exception):
    """The world changed between look-up and lock: roll back and start again at the look-up."""


class Unprocessable(Exception):
    """Some of the messages given to `apply`, by index, can never be processed; the others go on without them."""

    def __init__(self, indexes: Sequence[int], reason: str) -> None:
        super().__init__(reason)
        self.indexes = indexes
        self.reason = reason


@dataclass(frozen=True)
class Dead:
    """A record that will never be processed, and the item it stood for, as far as its headers tell."""

    topic: str
    partition: int
    offset: int
    reason: str
    batch: bytes | None
    item: int | None


class Room(Protocol[M]):
    """What a worker does with a chunk of messages; the rest of exactly-once is not its business."""

    topic: Topic[M]

    async def prepare(self, messages: Sequence[M]) -> None:
        """At-least-once effects, before the transaction. May run again for the same messages."""

    async def apply(self, connection: asyncpg.Connection, messages: Sequence[M]) -> list[Outgoing]:
        """The effects, inside the transaction that moves the positions; returns what goes to the next topic.

        Raises `Surprise` to be run again in a new transaction, `Unprocessable` to be run again without some.
        """

    async def fail(self, connection: asyncpg.Connection, dead: Sequence[Dead]) -> None:
        """Answer the items behind dead letters, in the same transaction."""

    async def committed(self, messages: Sequence[M]) -> None:
        """Called after the commit; may be left out by a crash."""
