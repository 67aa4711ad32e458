"""A launcher without its loop, on a real Postgres; its channel and its broker are the test's."""

import asyncio
import json
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from runtime.kafka import BrokerUnavailable
from runtime.producer import Publisher
from runtime.together import Together
from schemas.ids import TriggerId
from schemas.messages import TriggerStart
from schemas.settings import MIB, Settings
from schemas.topics import Outgoing
from tests.launching import Remembering, World, knowing, matched
from workers.launcher.claim import claims
from workers.launcher.claim.bundles import bundles
from workers.launcher.claim.lane import Lane
from workers.launcher.claim.turns import Asked
from workers.launcher.clock import clock
from workers.launcher.deliver.delivery import Delivery
from workers.launcher.deliver.enclosures import Enclosures
from workers.launcher.groups import launches
from workers.launcher.groups.group import Group, started_by
from workers.launcher.groups.leases import Lease

LEASE = timedelta(seconds=30)


@dataclass
class Topic:
    """Keeps what is published, or says that the broker is away."""

    away: bool = False
    records: list[Outgoing] = field(default_factory=list)

    async def publish(self, records: Sequence[Outgoing]) -> None:
        if self.away and records:
            raise BrokerUnavailable("away")
        self.records += records

    def events(self) -> list[dict[str, Any]]:
        return [json.loads(record.value) for record in self.records]

    def types(self) -> list[str]:
        return [event["event_type"] for event in self.events()]


@dataclass
class Launcher:
    """The parts of a launcher that fire, put together around a channel."""

    world: World
    channel: Remembering
    topic: Topic | Publisher
    page: int = 100
    lease: timedelta = LEASE
    stop: asyncio.Event = field(default_factory=asyncio.Event)

    settings: dict[str, Any] = field(default_factory=dict)

    def __post_init__(self) -> None:
        # One for all claims: it remembers which destinations are held.
        self.sending = knowing({"email": self.channel}, self.world.pool)
        self.enclosures = Enclosures(self.world.pool, MIB)
        self._looked = asyncio.Event()

    def delivery(self) -> Delivery:
        pool = self.world.pool
        settings = Settings(page=self.page, **self.settings)
        return Delivery(settings, pool, Together(pool.acquire, 2), self.topic.publish, self.sending, self.enclosures)

    async def work_once(self) -> None:
        """Claim whatever is due, rest or not, and work on it."""
        await self.world.pool.execute("UPDATE launches SET run_at = least(run_at, now()) WHERE finished_at IS NULL")
        for bundle in bundles(await claim(self.world, self.lease), self.page):
            await self.work(*bundle)

    async def work(self, *groups: Group, asked: float | None = None, by: Delivery | None = None) -> None:
        """On all of them together; the claim was asked for at that moment."""
        lease = Lease(self.lease, clock() if asked is None else asked, groups)
        await (by or self.delivery()).work(groups, lease, self._look, self.stop)

    def _look(self, *_: object) -> bool:
        looked, self._looked = self._looked, asyncio.Event()
        looked.set()
        return True

    async def looked(self) -> None:
        """Wait for the next look, which begins then."""
        async with asyncio.timeout(20):
            await self._looked.wait()


@contextmanager
def silent() -> Iterator[str]:
    """The address of a server that lets everybody in, and says nothing."""
    with socket.create_server(("127.0.0.1", 0)) as listener:
        yield f"127.0.0.1:{listener.getsockname()[1]}"


async def claim(world: World, lease: timedelta = LEASE, most: int = 10) -> list[Group]:
    """Whatever is due, of all accounts."""
    lanes = [Lane(row["account"], row["id"]) for row in await world.pool.fetch("SELECT account, id FROM triggers")]
    return await claims.claim(world.pool, lease, dict.fromkeys(lanes, Asked(most, MIB)), MIB)


async def schedule(world: World, *emails: str | None, trigger: int | None = None, batch: bytes | None = None, **given: Any) -> bytes:
    """A batch of profiles with these addresses whose launches are due."""
    batch = batch or await world.batch(total=len(emails))
    profiles = await world.profiles(*emails, **given)
    message = matched(batch, profiles, [TriggerStart(trigger=TriggerId(trigger or world.trigger))])
    async with world.pool.acquire() as connection:
        await launches.insert(connection, started_by([message]))
    return batch


async def counts(world: World) -> dict[str, Any]:
    row = await world.pool.fetchrow(
        """
        SELECT sum(launched)::int AS launched, sum(skipped)::int AS skipped, sum(failed)::int AS failed,
            count(*) = count(finished_at) AS finished,
            count(outbox) > 0 AS outbox, bool_and(run_at > now()) AS rests
        FROM launches
        """
    )
    return dict(row)


FINISHED = {"finished": True, "outbox": False}
