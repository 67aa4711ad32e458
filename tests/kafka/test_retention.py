"""The broker keeps what is not processed, what is young, and the record that was processed last."""

import time

import pytest
from aiokafka import AIOKafkaConsumer, AIOKafkaProducer
from aiokafka.structs import TopicPartition

from schemas.settings import Settings
from schemas.topics import IMPORTS
from tests.kafka.conftest import Bench
from tests.retaining import finished, left, world_of
from workers.retention import Retention

HOUR = 3600

_UNPUBLISHED = "UPDATE batches SET published_at = NULL, look_at = now(), accepting_until = now() - interval '1 hour' * $1"


@pytest.fixture
async def topic(bench: Bench) -> str:
    """Ten records in partition 0, of which the last three are young."""
    name = bench.settings.topic(IMPORTS.name)
    async with AIOKafkaProducer(bootstrap_servers=bench.settings.kafka) as producer:
        for hours in (30, 29, 28, 27, 26, 25, 24.5, 23, 2, 0):
            await producer.send_and_wait(name, b"any", partition=0, timestamp_ms=int((time.time() - hours * HOUR) * 1000))
    return name


async def first(settings: Settings, topic: str) -> int:
    async with AIOKafkaConsumer(bootstrap_servers=settings.kafka) as consumer:
        return int((await consumer.beginning_offsets([TopicPartition(topic, 0)]))[TopicPartition(topic, 0)])


@pytest.mark.promise("P-OPS-24")
@pytest.mark.parametrize(("position", "begins"), [(0, 0), (1, 0), (4, 3), (8, 7), (10, 7)])
async def test_processed_records_are_deleted_up_to_a_day_behind(bench: Bench, topic: str, position: int, begins: int) -> None:
    await bench.pool.execute("UPDATE progress SET position = $2 WHERE topic = $1 AND partition = 0", topic, position)
    for _ in range(2):
        await Retention(bench.settings, bench.pool).sweep()

    assert await first(bench.settings, topic) == begins


@pytest.mark.promise("P-OPS-24")
async def test_a_worker_goes_on_where_all_that_is_processed_was_deleted(bench: Bench) -> None:
    await bench.feed(["1"] * 100)
    async with bench.running():
        await bench.until_processed(100)
    await Retention(bench.settings.model_copy(update={"records_kept": -bench.settings.records_kept}), bench.pool).sweep()
    await bench.feed(["1"] * 100, first=100)
    async with bench.running():
        await bench.until_processed(200)

    assert list(range(200)) == await bench.items()


@pytest.mark.promise("P-OPS-19")
@pytest.mark.parametrize(("position", "renewed", "stays"), [(7, 25, True), (8, 25, False), (8, 2, True)])
async def test_a_batch_that_the_broker_may_have_whole_is_kept_until_the_matchers_have_come_past_it(
    bench: Bench, topic: str, position: int, renewed: int, stays: bool
) -> None:
    """The gateway died after the last confirmation and before it noted that; offset 7 is 23 hours old, and an hour is for clocks."""
    world = await world_of(bench.pool)
    await finished(world, hours=26)
    await bench.pool.execute("UPDATE progress SET position = $2 WHERE topic = $1 AND partition = 0", topic, position)
    await bench.pool.execute("UPDATE batch_progress SET done = B'000', imported = 0, failed = 0")
    await bench.pool.execute("DELETE FROM launches")
    await bench.pool.execute(_UNPUBLISHED, renewed)
    await Retention(bench.settings, bench.pool).sweep()

    assert bool(await left(world)) == stays


@pytest.mark.promise("P-OPS-19")
@pytest.mark.parametrize(("position", "stays"), [(7, True), (8, False)])
async def test_a_published_batch_is_not_given_up_before_the_matchers_have_come_past_it(
    bench: Bench, position: int, topic: str, stays: bool
) -> None:
    world = await world_of(bench.pool)
    await finished(world, hours=31 * 24)
    await bench.pool.execute("UPDATE progress SET position = $2 WHERE topic = $1 AND partition = 0", topic, position)
    await bench.pool.execute("UPDATE batch_progress SET done = B'110', failed = 0")
    await bench.pool.execute("UPDATE batches SET published_at = accepted_at")
    await Retention(bench.settings, bench.pool).sweep()

    assert bool(await left(world)) == stays
