"""Exactly-once between Kafka and Postgres."""

from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol, TypeVar

import asyncpg

from schemas.messages import Message
from schemas.topics import Outgoing, Topic

M = TypeVar("M", bound=Message)


class Surprise(Exception):
    """The world changed between look-up and lock: roll back and start again at the look-up."""


@dataclass(frozen=True)
class Dead:
    """A record that will never be processed, and the item it stood for (if its headers tell)."""

    topic: str
    partition: int
    offset: int
    reason: str
    batch: bytes | None
    item: int | None


class Room(Protocol[M]):
    """What a worker does with a chunk of messages; the rest of exactly-once is not its business."""

    topic: Topic

    async def prepare(self, messages: Sequence[M]) -> None:
        """At-least-once effects, before the transaction. May run again for the same messages."""

    async def apply(self, connection: asyncpg.Connection, messages: Sequence[M]) -> list[Outgoing]:
        """The effects, inside the transaction that moves the positions; returns what goes to the next topic.

        Raises `Surprise` to be run again in a new transaction.
        """

    async def fail(self, connection: asyncpg.Connection, dead: Sequence[Dead]) -> None:
        """Answer the items behind dead letters, in the same transaction."""
