"""Each message takes effect once, whatever happens between Kafka and Postgres."""

import asyncio
from contextlib import aclosing

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewTopic

from schemas import metrics
from schemas.messages import ProfileImport
from schemas.settings import Settings
from schemas.topics import DEAD_LETTERS, IMPORTS, Outgoing, item_headers
from tests.kafka.conftest import BATCH, Bench, Deaf, Slow, announced, batch_of, published, until
from workers.exactly_once import Stream, TopicChanged

COUNT = 500


async def test_every_message_takes_effect_once_and_is_announced(bench: Bench) -> None:
    await bench.feed(["1"] * COUNT)
    async with bench.running():
        await bench.until_processed(COUNT)

    assert list(range(COUNT)) == await bench.items()
    assert list(range(COUNT)) == sorted(await announced(bench.settings))


@pytest.mark.promise("P-OPS-06")
async def test_a_worker_that_starts_again_goes_on_where_the_last_one_committed(bench: Bench) -> None:
    for first in (0, COUNT):
        await bench.feed(["1"] * COUNT, first)
        async with bench.running():
            await bench.until_processed(first + COUNT)

    assert list(range(2 * COUNT)) == await bench.items()


@pytest.mark.promise("P-OPS-04")
async def test_two_workers_that_both_own_every_partition_double_nothing(bench: Bench) -> None:
    """Two consumer groups: the broker gives each of them all partitions, as it would to a zombie and its successor."""
    async with bench.running("one") as one, bench.running("other") as other:
        await until_joined(one, other)
        for first in range(0, 10 * COUNT, COUNT):
            await bench.feed(["1"] * COUNT, first)
        await bench.until_processed(10 * COUNT)

        # Whoever came second has seen it, and goes on from the rows.
        await until(lambda: _stand_at_the_end(bench, one, other))

    assert list(range(10 * COUNT)) == await bench.items()
    assert set(range(10 * COUNT)) == set(await announced(bench.settings))
    assert metrics.MESSAGES.labels(bench.settings.topic(IMPORTS.name))._value.get() == 10 * COUNT


@pytest.mark.promise("P-OPS-07")
async def test_an_outbox_that_was_not_published_is_published_by_whoever_takes_over(bench: Bench) -> None:
    await bench.feed(["1"] * COUNT)
    deaf = Deaf(bench.settings)
    async with aclosing(deaf), bench.running(publisher=deaf):
        await bench.until_processed(COUNT)
        await until(lambda: _published_all(bench, COUNT))

    assert list(range(COUNT)) == await bench.items()


@pytest.mark.promise("P-OPS-07")
async def test_the_next_chunk_is_read_beside_what_is_published_and_committed_after_it(bench: Bench) -> None:
    await bench.feed(["1"] * COUNT)
    slow = Slow(bench.settings, bench.ledger)
    async with aclosing(slow), bench.running(publisher=slow):
        await bench.until_processed(1)
        await bench.feed(["1"] * COUNT, first=COUNT)
        # One more than is committed.
        await until(lambda: _has_prepared(bench))
        slow.released.set()
        await bench.until_processed(2 * COUNT)
        await until(lambda: _published_all(bench, 2 * COUNT))

    # Else the second commit would overwrite an outbox that is nowhere else.
    assert slow.begun[0] == 1


async def _has_prepared(bench: Bench) -> bool:
    return bench.ledger.prepared > await bench.processed()


@pytest.mark.promise("P-OPS-08")
async def test_a_message_that_the_database_refuses_is_found_alone_and_its_neighbours_go_on(bench: Bench) -> None:
    await batch_of(bench.pool, 1, BATCH)
    await bench.feed(["1"] * COUNT + ["not a number"] + ["1"] * COUNT)
    async with bench.running():
        await bench.until_processed(2 * COUNT + 1)

    assert [item for item in range(2 * COUNT + 1) if item != COUNT] == await bench.items()
    assert [(dead.batch, dead.item) for dead in bench.ledger.failed] == [(BATCH, COUNT)]
    assert await bench.pool.fetchval("SELECT reason FROM dead_letters WHERE item = $1", COUNT) == "refused by the database: 22P02"
    assert len(await published(bench.settings, DEAD_LETTERS.name)) == 1


async def test_a_culprit_is_found_in_a_handful_of_attempts(bench: Bench) -> None:
    await bench.feed(["not a number", *["1"] * 1_000])
    async with bench.running():
        await bench.until_processed(1_001)

    # Each halving tries two parts of its partition, under savepoints of one transaction.
    assert bench.ledger.transactions < 40


async def test_messages_that_the_room_cannot_process_are_buried_and_the_others_applied(bench: Bench) -> None:
    await bench.feed(["1", "unknown", "1", "unknown"])
    async with bench.running():
        await bench.until_processed(4)

    assert await bench.items() == [0, 2]
    assert [dead.reason for dead in bench.ledger.failed] == ["unknown batch"] * 2


@pytest.mark.promise("P-OPS-09")
@pytest.mark.parametrize("value", [b"", b"garbage", b"\x00\xff"])
async def test_garbage_is_buried_with_its_payload_and_its_neighbours_go_on(bench: Bench, value: bytes) -> None:
    topic = bench.settings.topic(IMPORTS.name)
    await batch_of(bench.pool, 1, BATCH)
    await bench.publisher.publish([Outgoing(topic, b"0", value, item_headers(BATCH, 0)), Outgoing(topic, b"1", value)])
    await bench.feed(["1"], first=2)
    async with bench.running():
        await bench.until_processed(3)

    assert await bench.items() == [2]
    letters = await bench.pool.fetch("SELECT batch, item, value FROM dead_letters ORDER BY item")
    assert [(BATCH, 0, value), (None, None, value)] == [tuple(letter) for letter in letters]


@pytest.mark.promise("P-OPS-10")
async def test_a_newer_message_holds_its_partition_and_says_so(bench: Bench) -> None:
    newer = ProfileImport(v=2, batch=BATCH.hex(), item=0, value="1", data={})
    await bench.feed(["1"] * 40, first=1)
    await bench.send([newer])
    await bench.feed(["1"] * 40, first=41)
    async with bench.running() as stream:
        await until(lambda: _says(stream.problems, "upgrade this worker first"))
        held = await bench.pool.fetchval("SELECT count(*) FROM dead_letters")

    assert held == 0
    assert await bench.processed() < 81


@pytest.mark.promise("P-OPS-15")
async def test_connections_that_are_cut_lose_and_double_nothing(bench: Bench) -> None:
    async with bench.running():
        for first in range(0, 10 * COUNT, COUNT):
            await bench.feed(["1"] * COUNT, first)
            await cut_connections(bench)
        await bench.until_processed(10 * COUNT)

    assert list(range(10 * COUNT)) == await bench.items()


@pytest.mark.promise("P-OPS-14")
async def test_a_topic_that_was_made_anew_stops_the_worker(bench: Bench) -> None:
    await bench.feed(["1"] * COUNT)
    async with bench.running():
        await bench.until_processed(COUNT)
    await make_anew(bench.settings)
    await bench.feed(["1"] * 2 * COUNT, first=COUNT)

    with pytest.raises(ExceptionGroup) as caught:
        async with bench.running():
            await asyncio.Event().wait()

    assert caught.group_contains(TopicChanged)
    assert list(range(COUNT)) == await bench.items()


@pytest.mark.promise("P-OPS-14")
async def test_another_number_of_partitions_stops_the_worker(bench: Bench) -> None:
    await bench.pool.execute("DELETE FROM progress WHERE partition = 0")

    with pytest.raises(ExceptionGroup) as caught:
        async with bench.running():
            await asyncio.Event().wait()

    assert caught.group_contains(TopicChanged, match="docs/operations.md")


async def until_joined(*streams: object) -> None:
    for stream in streams:
        await until(lambda stream=stream: _says(stream.problems, ""))  # type: ignore[misc]


async def _stand_at_the_end(bench: Bench, *streams: Stream[ProfileImport]) -> bool:
    end = await bench.processed()
    return all(sum(at for at, _ in stream.standing().values()) == end for stream in streams)


async def cut_connections(bench: Bench) -> None:
    connection = await asyncpg.connect(bench.settings.postgres)
    await connection.execute(
        "SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE pid <> pg_backend_pid() AND query LIKE '%' || $1 || '\".ledger%'",
        bench.settings.prefix,
    )
    await connection.close()


async def make_anew(settings: Settings) -> None:
    admin = AIOKafkaAdminClient(**settings.kafka_options())
    await admin.start()
    topic = settings.topic(IMPORTS.name)
    await admin.delete_topics([topic])
    await until(lambda: _gone(admin, topic))
    await admin.create_topics([NewTopic(topic, settings.partitions, 1)])
    await admin.close()


async def _gone(admin: AIOKafkaAdminClient, topic: str) -> bool:
    return topic not in await admin.list_topics()


async def _says(problems: object, words: str) -> bool:
    said = problems()  # type: ignore[operator]
    return any(words in problem for problem in said) if words else said == []


async def _published_all(bench: Bench, count: int) -> bool:
    return set(range(count)) == set(await announced(bench.settings))
