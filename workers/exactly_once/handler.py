"""What a room has to offer so that its messages take effect exactly once."""

from collections.abc import AsyncGenerator, Sequence
from dataclasses import dataclass
from typing import Any, Protocol

import asyncpg

from schemas.topics import M, Outgoing, Topic


class Conflict(Exception):
    """The world changed between look-up and lock: roll back and start again at the look-up."""


class TooMuch(Exception):
    """More than may be held in memory, or done, at once: in parts, each in a transaction of its own."""


@dataclass(frozen=True)
class Unprocessable:
    """What `prepare` says of a message that nothing can be made of."""

    reason: str


@dataclass(frozen=True)
class Dead:
    """A record that will never be processed, and the item it stood for, as far as its headers tell."""

    topic: str
    partition: int
    offset: int
    reason: str
    batch: bytes | None
    item: int | None


class Handler(Protocol[M]):
    """What a worker does with a chunk of messages; the rest of exactly-once is not its business.

    Whatever it raises that is no fault of the servers or the code is searched for by halves, and costs its own message alone.
    """

    topic: Topic[M]

    def prepare(self, messages: Sequence[M]) -> AsyncGenerator[Any, None]:
        """What `apply` needs of each message, in order, or that it is `Unprocessable`; with at-least-once effects, if any.

        Before the transaction, where time costs nothing but time: all that can be read, parsed and checked belongs here.
        May run again for the same messages.
        """

    async def apply(self, connection: asyncpg.Connection, prepared: Sequence[Any], dead: Sequence[Dead]) -> list[Outgoing]:
        """The effects, inside the transaction that moves the positions, and the answers of the items behind dead letters.

        Returns what goes to the next topic. Both together, so that rows can be locked in everybody's order. A transaction of
        trial is rolled back. A dead letter's item is one of a batch that is known. Raises `Conflict` to be run again, and `TooMuch`.
        """

    async def committed(self, messages: Sequence[M]) -> None:
        """Called after the commit, and before what it said is published; may be left out by a crash."""
