"""Pure: groups of launches that share their batch, trigger and due time."""

from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass
from datetime import timedelta

import asyncpg

from schemas import bits, ids
from schemas.ids import TriggerId
from schemas.messages import ProfilesMatched


@dataclass(frozen=True)
class NewGroup:
    """A group to be scheduled; it is named by batch, trigger and its lowest item."""

    batch: bytes
    trigger: TriggerId
    first_item: int
    chunk: int
    items: Sequence[int]
    profiles: bytes


@dataclass(frozen=True)
class Leaving:
    """Launches that leave their group for one of the next attempt, after a rest."""

    items: Sequence[int]
    profiles: bytes
    doubts: int
    # The only way that they go.
    doubted: str | None
    rest: timedelta
    # For so many attempts the one that they leave behind counts.
    counts: int


@dataclass(frozen=True)
class Group:
    """A claimed group; `fence` is this claim's number."""

    batch: bytes
    trigger: TriggerId
    attempt: int
    first_item: int
    fence: int
    account: int
    chunk: int
    items: Sequence[int]
    profiles: Sequence[bytes]
    done: asyncpg.BitString
    outbox: bytes | None
    # Claims since the last mark, this one included.
    claims: int
    # How often nobody knows whether its launches were sent.
    doubts: int
    # The only way by which they go, because they may have gone by it before.
    doubted: str | None
    # Why they fail without being tried.
    doomed: str | None
    # How often an operator let them run again, and the attempt with which this run began, less those that a long rest counted for.
    run: int
    began: int
    # Seconds between the due time and this claim.
    late: float
    # Seconds since its destination keeps some of them waiting.
    held_for: float | None
    # The span that scheduled them, where their request is traced.
    traceparent: str | None = None
    # Whether its batch brought any, which take memory of their own.
    has_files: bool = False
    # Whether its launches wait for each other, for minutes.
    is_spread: bool = False

    def undone(self) -> list[int]:
        """Positions that no launcher has settled yet."""
        done = self.done.bytes
        return [at for at in range(len(self.items)) if not bits.is_set(done, at)]

    def page(self, most: int) -> int:
        """How many of its launches are read at a time."""
        return spread_page(most) if self.is_spread else most

    def is_plain(self) -> bool:
        """Whether nothing about it is odd: never claimed in vain, due, without files, not spread, and traced by nobody."""
        odd = self.outbox is not None or self.doomed is not None or self.traceparent is not None
        return self.claims == 1 and self.late >= 0 and not (odd or self.has_files or self.is_spread)

    def says_lateness(self) -> bool:
        """Whether it begins, and was due: a next attempt, a next run and a half are groups of their own, with the first one's due time."""
        # One that is brought forward to be taken back is early, and one that is doomed fails untried: no launch of theirs begins.
        return (self.attempt, self.fence, self.claims, self.doomed) == (0, 1, 1, None) and self.late >= 0

    def nth(self) -> int:
        """The attempt of this run, from 0, or the one whose turn it is after as long a rest."""
        return self.attempt - self.began

    def waited(self) -> timedelta:
        """For its destination."""
        return timedelta(seconds=self.held_for or 0)

    def leaving(self, positions: Iterable[int], doubts: int, doubted: str | None, rest: timedelta, counts: int = 1) -> "Leaving":
        at = sorted(positions)
        items, profiles = [self.items[each] for each in at], b"".join(self.profiles[each] for each in at)
        return Leaving(items, profiles, doubts, doubted, rest, counts)

    def bits(self, positions: Iterable[int]) -> asyncpg.BitString:
        return asyncpg.BitString.frombytes(bits.packed(len(self.items), positions), bitlength=len(self.items))


def spread_page(most: int) -> int:
    """Of a batch that is spread: its launches leave one by one, and many such batches wait side by side."""
    return max(1, most // 8)


def started_by(messages: Iterable[ProfilesMatched]) -> list[NewGroup]:
    """One group for each message and each trigger that it starts, in the order of their names."""
    groups = [group for message in messages for group in _of(message)]
    return sorted(groups, key=lambda group: (group.batch, group.trigger, group.first_item))


def _of(message: ProfilesMatched) -> Iterator[NewGroup]:
    profiles = dict(zip(message.items, ids.unpack(bytes.fromhex(message.profiles)), strict=True))
    # A matcher of an older release may name the batch's own again, for some of the items.
    starts = {start.trigger: start for start in reversed(message.starts)}
    for start in starts.values():
        items = sorted(profiles if start.items is None else start.items)
        if items:
            packed = b"".join(profiles[item] for item in items)
            yield NewGroup(bytes.fromhex(message.batch), start.trigger, items[0], message.chunk, items, packed)
