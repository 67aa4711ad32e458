"""What waits for one server is done together."""

import asyncio
from collections.abc import Sequence
from dataclasses import dataclass, field

import pytest

from runtime.coalescing import Coalescing
from runtime.kafka import BrokerUnavailable
from schemas.topics import Outgoing


@dataclass
class Broker:
    """Confirms when the test lets it."""

    calls: list[list[bytes]] = field(default_factory=list)
    confirms: asyncio.Semaphore = field(default_factory=lambda: asyncio.Semaphore(0))
    away: bool = False

    async def publish(self, records: Sequence[Outgoing]) -> None:
        self.calls.append([record.value for record in records])
        await self.confirms.acquire()
        if self.away:
            raise BrokerUnavailable("away")


def record(value: bytes) -> list[Outgoing]:
    return [Outgoing("events", b"key", value)]


def together(broker: Broker) -> Coalescing[Outgoing]:
    return Coalescing(broker.publish, (BrokerUnavailable,))


async def begin(coalescing: Coalescing[Outgoing], *values: bytes) -> list[asyncio.Task[None]]:
    """Publications under way, in this order."""
    begun = [asyncio.create_task(coalescing.do(record(value))) for value in values]
    for _ in range(3):
        await asyncio.sleep(0)
    return begun


async def test_what_came_while_the_broker_was_busy_is_published_in_one_go() -> None:
    broker = Broker()
    begun = await begin(together(broker), b"a", b"b", b"c")
    broker.confirms.release()
    broker.confirms.release()
    await asyncio.wait_for(asyncio.gather(*begun), 10)

    assert broker.calls == [[b"a"], [b"b", b"c"]]


async def test_nobody_hears_of_a_confirmation_before_it_is_there() -> None:
    broker = Broker()
    begun = await begin(together(broker), b"a", b"b")

    assert not any(each.done() for each in begun)

    broker.confirms.release()
    broker.confirms.release()
    await asyncio.gather(*begun)


async def test_a_broker_that_is_away_is_everybodys_trouble() -> None:
    broker = Broker(away=True, confirms=asyncio.Semaphore(9))
    answers = await asyncio.gather(*await begin(together(broker), b"a", b"b", b"c"), return_exceptions=True)

    assert [type(answer) for answer in answers] == [BrokerUnavailable] * 3


@pytest.mark.promise("P-EVENT-04")
async def test_what_was_taken_along_by_somebody_who_gave_up_is_published_all_the_same() -> None:
    broker = Broker()
    first, second, third = await begin(together(broker), b"a", b"b", b"c")
    broker.confirms.release()
    await first
    second.cancel()
    broker.confirms.release()
    broker.confirms.release()
    await asyncio.wait_for(third, 10)

    assert b"c" in broker.calls[-1]


async def test_nothing_to_tell_costs_nothing() -> None:
    broker = Broker()
    await together(broker).do([])

    assert broker.calls == []
