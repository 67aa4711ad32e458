"""What makes a worker wait or start again, and that it goes on by itself."""

import dataclasses
import time
from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer, TopicPartition
from structlog.testing import capture_logs

from runtime.kafka import stop_client
from runtime.postgres import open_pool
from schemas.messages import ProfileImport
from schemas.settings import Settings
from schemas.topics import IMPORTS
from tests.kafka.conftest import Bench, until
from workers.exactly_once import Conflict, Stream, reading

COUNT = 500
SURPRISES = (
    Conflict,
    asyncpg.DeadlockDetectedError,
    asyncpg.SerializationError,
    asyncpg.UniqueViolationError,
    asyncpg.LockNotAvailableError,
    asyncpg.InvalidCachedStatementError,
)


async def test_who_is_given_partitions_or_told_to_stop_waits_for_no_record(bench: Bench, monkeypatch: pytest.MonkeyPatch) -> None:
    # Seconds; longer than anybody waits for this test.
    monkeypatch.setattr(reading, "POLL", 600.0)
    await bench.feed(["1"])
    async with bench.running():
        await bench.until_processed(1)

    assert await bench.items() == [0]


@pytest.mark.parametrize("surprise", SURPRISES, ids=lambda each: each.__name__)
async def test_a_chunk_that_meets_a_surprise_starts_again_without_a_trace(bench: Bench, surprise: type[Exception]) -> None:
    bench.ledger.surprise, bench.ledger.surprises = surprise, 2
    await bench.feed(["1"])
    with capture_logs() as logs:
        async with bench.running():
            await bench.until_processed(1)

    assert (await bench.items(), bench.ledger.failed) == ([0], [])
    assert not [entry for entry in logs if entry["event"] == "stream_waits"]


async def test_a_chunk_that_took_too_long_is_halved(bench: Bench) -> None:
    bench.ledger.surprise, bench.ledger.surprises = asyncpg.QueryCanceledError, 1
    await bench.feed(["1"] * COUNT)
    async with dataclasses.replace(bench, settings=bench.settings.model_copy(update={"chunk": 100})).running():
        await bench.until_processed(COUNT)

    assert bench.ledger.sizes[1] <= 50


async def test_a_missing_table_waits_and_buries_nothing(bench: Bench) -> None:
    await bench.pool.execute("ALTER TABLE ledger RENAME TO mislaid")
    await bench.feed(["1"] * COUNT)
    async with bench.running() as stream:
        await until(lambda: _says(stream, "UndefinedTableError"))
        await bench.pool.execute("ALTER TABLE mislaid RENAME TO ledger")
        await bench.until_processed(COUNT)

    assert list(range(COUNT)) == await bench.items()
    assert await bench.pool.fetchval("SELECT count(*) FROM dead_letters") == 0


async def test_a_position_out_of_the_topics_range_holds_the_partition(bench: Bench) -> None:
    await bench.feed(["1"] * COUNT)
    await bench.pool.execute("UPDATE progress SET position = 1000000 WHERE topic = $1", bench.settings.topic(IMPORTS.name))
    async with bench.running() as stream:
        await until(lambda: _says(stream, "out of the topic's range"))

    assert await bench.items() == []


async def test_what_was_held_on_purpose_is_forgotten_with_its_reason(bench: Bench) -> None:
    topic = bench.settings.topic(IMPORTS.name)
    await bench.feed(["1"] * COUNT)
    await bench.pool.execute("UPDATE progress SET position = 1000000 WHERE topic = $1 AND partition = 0", topic)
    async with bench.running() as stream:
        await until(lambda: _says(stream, "out of the topic's range"))
        await bench.pool.execute("UPDATE progress SET position = 0 WHERE topic = $1 AND partition = 0", topic)
        await bench.pool.execute("ALTER TABLE ledger RENAME TO mislaid")
        await bench.feed(["1"] * COUNT, first=COUNT)
        await until(lambda: _says(stream, "UndefinedTableError"))
        await bench.pool.execute("ALTER TABLE mislaid RENAME TO ledger")
        await bench.until_processed(2 * COUNT)
        await until(lambda: _says(stream, ""))

    assert list(range(2 * COUNT)) == await bench.items()


@pytest.mark.promise("P-OPS-15")
@pytest.mark.parametrize("away", ["kafka", "postgres"])
async def test_a_worker_that_meets_a_dead_server_tries_again_ever_more_slowly(bench: Bench, away: str) -> None:
    nowhere = {"kafka": "127.0.0.1:1", "postgres": "postgresql://postgres@127.0.0.1:1/postgres"}[away]
    settings = bench.settings.model_copy(update={away: nowhere})
    async with await open_pool(settings) as pool:
        elsewhere = dataclasses.replace(bench, settings=settings, pool=pool)
        began = time.monotonic()
        with capture_logs() as logs:
            async with elsewhere.running():
                await until(lambda: _logged(logs, "stream_waits", 3))

    # 0.4 s after the first failure, 0.8 s after the second.
    assert time.monotonic() - began >= 1.2


async def _logged(logs: Sequence[Mapping[str, object]], event: str, times: int) -> bool:
    return sum(entry["event"] == event for entry in logs) >= times


async def _says(stream: Stream[ProfileImport], words: str) -> bool:
    said = stream.problems()
    return any(words in problem for problem in said) if words else said == []


async def test_a_consumer_whose_fetch_has_just_failed_is_stopped_as_any_other(
    migrated: Settings, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    consumer = AIOKafkaConsumer(**migrated.kafka_options())
    await consumer.start()
    partition = TopicPartition(migrated.topic(IMPORTS.name), 0)
    # It was made a moment ago.
    await until(lambda: _knows(consumer, partition.topic))
    consumer.assign([partition])
    consumer.seek(partition, 0)
    await until(lambda: _fetches(consumer))
    monkeypatch.setattr(consumer._fetcher, "_retry_backoff", 60)
    try:
        with caplog.at_level("ERROR", "aiokafka"):
            await until(lambda: _failed(consumer, caplog))
    finally:
        await stop_client(consumer)

    assert not any(connection.connected() for connection in consumer._client._conns.values())


async def _knows(consumer: Any, topic: str) -> bool:
    return topic in await consumer.topics()


async def _fetches(consumer: Any) -> bool:
    return bool(consumer._fetcher._pending_tasks)


async def _failed(consumer: Any, caplog: pytest.LogCaptureFixture) -> bool:
    """Whether a fetch ended with its connection; what was asked meanwhile may have been something else."""
    if "Failed fetch messages" in caplog.text:
        return True
    for connection in consumer._client._conns.values():
        connection.close()
    return False
