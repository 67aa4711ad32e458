"""Records on their way to a broker that refuses, or says nothing."""

import asyncio
import secrets
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import pytest
from aiokafka.admin import AIOKafkaAdminClient
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType

from ingest.publish.partition_queue import Delivery, Placed
from ingest.publish.producer import Producer, open_producer
from runtime.kafka import BrokerUnavailable
from schemas.ids import new_id
from schemas.settings import Settings
from schemas.topics import IMPORTS, item_headers

pytestmark = pytest.mark.asyncio(loop_scope="session")


@asynccontextmanager
async def writing(producer: Producer) -> AsyncIterator[None]:
    async with asyncio.TaskGroup() as tasks:
        writers = tasks.create_task(producer.run())
        yield
        writers.cancel()


async def largest_batch(settings: Settings, size: int) -> None:
    """What the broker takes from now on."""
    admin = AIOKafkaAdminClient(**settings.kafka_options())
    await admin.start()
    topic = ConfigResource(ConfigResourceType.TOPIC, settings.topic(IMPORTS.name), {"max.message.bytes": str(size)})
    await admin.alter_configs([topic])
    await admin.close()


def records(count: int, value: bytes = b"{}") -> Placed:
    batch = new_id()
    return {0: [(b"key", value, item_headers(batch, item)) for item in range(count)]}


def incompressible(count: int, size: int) -> Placed:
    batch = new_id()
    return {0: [(b"key", secrets.token_bytes(size), item_headers(batch, item)) for item in range(count)]}


@pytest.mark.promise("P-OPS-01")
async def test_after_a_refusal_a_new_producer_sends_the_same_records(configured: Settings, capfd: pytest.CaptureFixture[str]) -> None:
    deliveries = [Delivery(1)]
    try:
        async with open_producer(configured, configured.partitions) as producer, writing(producer), asyncio.timeout(30):
            # The broker knows the producer's sequence now, and notices the gap that a refused batch leaves.
            await producer.publish(records(1), deliveries[0])
            await deliveries[0].confirmed.wait()
            await largest_batch(configured, 100)
            # A broker takes its time to follow a changed setting.
            while "records_refused" not in capfd.readouterr().out:
                deliveries.append(Delivery(1))
                await producer.publish(records(1), deliveries[-1])
                await asyncio.sleep(0.1)
            unconfirmed = not deliveries[-1].confirmed.is_set()
            await largest_batch(configured, 1_048_588)
            await asyncio.gather(*[delivery.confirmed.wait() for delivery in deliveries])
    finally:
        await largest_batch(configured, 1_048_588)

    assert unconfirmed


@pytest.mark.promise("P-OPS-01")
async def test_a_batch_that_is_larger_than_the_broker_takes_is_halved_until_it_fits(
    configured: Settings, capfd: pytest.CaptureFixture[str]
) -> None:
    deliveries: list[Delivery] = []
    try:
        # Two of them, and not four.
        await largest_batch(configured, 5_000)
        async with open_producer(configured, configured.partitions) as producer, writing(producer), asyncio.timeout(60):
            while "records_refused" not in capfd.readouterr().out:
                deliveries.append(Delivery(8))
                await producer.publish(incompressible(8, 2_000), deliveries[-1])
                await asyncio.sleep(0.1)
            await asyncio.gather(*[delivery.confirmed.wait() for delivery in deliveries])
    finally:
        await largest_batch(configured, 1_048_588)


async def test_records_of_many_requests_share_a_batch_and_each_is_told(configured: Settings) -> None:
    deliveries = [Delivery(3) for _ in range(200)]
    async with open_producer(configured, configured.partitions) as producer, writing(producer):
        for delivery in deliveries:
            await producer.publish(records(3, b"x" * 10_000), delivery)
        async with asyncio.timeout(20):
            await asyncio.gather(*[delivery.confirmed.wait() for delivery in deliveries])


@pytest.mark.promise("P-HTTP-24")
async def test_while_the_broker_confirms_nothing_more_is_refused_at_once(configured: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("ingest.publish.producer.UNCONFIRMED_FOR", 0.0)
    async with open_producer(configured, configured.partitions) as producer:
        producer.check()
        await producer.publish(records(1), Delivery(1))

        with pytest.raises(BrokerUnavailable):
            producer.check()


async def test_another_number_of_partitions_is_a_problem_that_says_what_to_do(configured: Settings) -> None:
    async with open_producer(configured, configured.partitions + 1) as producer:
        problems = await producer.problems()

    topic, todo = configured.topic(IMPORTS.name), "docs/operations.md says how to go on (partitions were added)"
    assert problems == [f"topic {topic} has 4 partitions instead of 5: {todo}"]
