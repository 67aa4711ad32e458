"""Back-pressure at the door: profiles in flight, bytes held, a token's part of both, and the pace of publishing."""

import asyncio
from collections.abc import Awaitable, Callable, Iterator
from contextlib import contextmanager
from typing import Protocol

from ingest.admission.budget import Budget, NoRoom, Share
from ingest.admission.drain import Drain, ahead
from ingest.admission.retry_after import retry_after, until_matched
from ingest.admission.tally import Tally
from ingest.request_errors import Refused, too_many
from ingest.sql.accounts import Token
from runtime.advice import KAFKA_AWAY
from runtime.kafka import BrokerUnavailable
from runtime.racing import rest
from runtime.retrying import tell
from schemas import metrics

# The ends of the topic and the positions of the matchers, by partition.
Look = Callable[[], Awaitable[tuple[list[int], list[int]]]]

_PAUSE = 0.1
_AWAY_PAUSE = 1.0
# Beyond that, while nothing is in flight, and nothing comes.
_IDLE_PAUSE = 0.9

# A token's own bulk keeps it from no single: who brings at most a thousandth of its limit may exceed that by a tenth.
_FEW = 1_000
_SPARED = 10

PARTITIONS_CHANGED = "stop the gateways before partitions are added, and start them afterwards (docs/operations.md)"


class PartitionsChanged(Exception):
    """The imports topic has more or fewer partitions than this gateway was started with: keys would lose their order."""


class Waiting(Protocol):
    """What waits to be published: how many profiles, how many of each token, and whether tokens wait behind one another."""

    waiting: Tally

    @property
    def shared(self) -> bool: ...

    @property
    def pending(self) -> int: ...


class Writing(Protocol):
    """What publishes: how many records it ever got, and how many of them the broker has not confirmed."""

    handed: int

    @property
    def unconfirmed(self) -> int: ...


class Backpressure:
    """What this gateway knows of the backlog; `look` raises one of `away` if it cannot be seen."""

    def __init__(
        self,
        look: Look,
        away: tuple[type[Exception], ...],
        producer: Writing,
        queue: Waiting,
        *,
        limit: int,
        token_limit: int,
        budget: Budget,
    ) -> None:
        self._look = look
        self._away = away
        self._producer = producer
        self._queue = queue
        self._limit = limit
        self._token_limit = token_limit
        self._budget = budget
        self._drain = Drain()
        # How many of its own the broker surely had when `_drain` was measured.
        self._seen = 0
        self._sees = True
        self._arriving = Tally()
        self._looked = asyncio.Event()
        self._coming = asyncio.Event()

    @property
    def in_flight(self) -> int:
        """Profiles between the door and a matcher's commit, as measured: no killed gateway leaves any behind."""
        return self._drain.behind + self._unseen + self._queue.pending + self._arriving.total

    @property
    def _unseen(self) -> int:
        return self._producer.handed - self._seen

    @contextmanager
    def admitted(self, token: Token, profiles: int, share: Share) -> Iterator[None]:
        """Count profiles that are on their way to `FairQueue`; refused if too many are in flight, or too much is the token's own."""
        self._check_own(token, profiles, share)
        seconds = retry_after(self.in_flight, profiles, self._limit, self._drain.rate)
        if seconds is not None:
            raise self._refused("profiles", seconds)
        share.belong_to(token.id)
        self._arriving.add(token.id, profiles)
        self._coming.set()
        try:
            yield
        finally:
            self._arriving.add(token.id, -profiles)

    @contextmanager
    def holding(self) -> Iterator[Share]:
        """A request's part of the bytes, which grows as the request does; refused if none become free soon."""
        share = Share(self._budget)
        try:
            yield share
        except NoRoom:
            raise self._refused("bytes", until_matched(self.in_flight, self._drain.rate)) from None
        finally:
            share.release()

    async def near_enough(self, stopping: asyncio.Event) -> None:
        """Return when the matchers are near enough for another slice; a gateway that must go does not wait for them."""
        while self._ahead >= ahead(self._drain.rate, shared=self._queue.shared) and not stopping.is_set():
            self._looked.clear()
            self._coming.set()
            await self._looked.wait()

    @property
    def _ahead(self) -> int:
        # What was seen before the broker fell silent holds nothing back: only a writer that waits in vain shows that it is away.
        return self._drain.moving + self._unseen if self._sees else self._producer.unconfirmed

    async def run(self) -> None:
        while True:
            self._coming.clear()
            await self.run_once()
            # Whatever comes: requests that come to nothing may come one after the other.
            await asyncio.sleep(_PAUSE if self._sees else _AWAY_PAUSE)
            if self._sees and not self.in_flight:
                # What others bring meanwhile is seen as soon as this gateway is brought something, too.
                await rest(self._coming, _IDLE_PAUSE)

    async def run_once(self) -> bool:
        self._sees = await self._look_once()
        self._looked.set()
        return self._sees

    async def _look_once(self) -> bool:
        seen = self._producer.handed - self._producer.unconfirmed
        try:
            ends, positions = await self._look()
        except self._away as error:
            tell("backlog_unknown", error, **_todo(error))
            return False
        self._drain = self._drain.observed(asyncio.get_running_loop().time(), ends, positions)
        self._seen = seen
        metrics.IN_FLIGHT.set(self.in_flight)
        metrics.DRAIN_RATE.set(self._drain.rate)
        return True

    def _check_own(self, token: Token, profiles: int, share: Share) -> None:
        """Else one token could take all the room, and every other one would be refused."""
        waiting = self._queue.waiting.of(token.id) + self._arriving.of(token.id)
        limit = self._token_limit if token.in_flight is None else token.in_flight
        spared = limit // _SPARED if profiles <= limit // _FEW else 0
        seconds = retry_after(waiting, profiles, limit + spared, self._drain.rate)
        if seconds is not None:
            raise self._refused("token_profiles", seconds, f"token: its limit is {limit} profiles that wait")
        if not self._budget.has_room(token.id, share.size):
            seconds = until_matched(waiting, self._drain.rate)
            raise self._refused("token_bytes", seconds, "token: its limit is half of the bytes that a gateway holds")

    def _refused(self, reason: str, seconds: int, debug: str | None = None) -> Refused:
        metrics.REFUSED.labels(reason).inc()
        return too_many(debug, seconds)


def _todo(error: Exception) -> dict[str, str]:
    if isinstance(error, PartitionsChanged):
        return {"todo": PARTITIONS_CHANGED}
    return {"todo": KAFKA_AWAY} if isinstance(error, BrokerUnavailable) else {}
