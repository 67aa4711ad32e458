"""A topic that goes, comes back anew, grows, or lost records: what the real workers say, and how an operator goes on."""

from typing import Any

import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, RecordsToDelete
from aiokafka.structs import TopicPartition

from profuse.migrating import migrate
from profuse.positions import looking, moving, planning
from runtime import kafka
from schemas.settings import Settings
from schemas.topics import IMPORTS, MATCHES, Outgoing
from tests.kafka.conftest import Bench, until
from tests.kafka.hosting import OPENING, Hosted, hosted, says
from workers.exactly_once import TopicChanged

TOPICS: dict[str, Any] = {"matcher": IMPORTS, "launcher": MATCHES}
COUNT = 5


@pytest.fixture(autouse=True)
def _soon(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(kafka, "CHANGES_SEEN_AFTER", 1.0)


def topic_of(name: str, settings: Settings) -> str:
    return settings.topic(TOPICS[name].name)


async def feed(bench: Bench, topic: str) -> None:
    """Messages that leave a dead letter each, into partition 0."""
    await bench.publisher.publish([Outgoing(topic, b"\0\0\0\0", b"garbage")] * COUNT)


async def dead(bench: Bench, count: int) -> bool:
    return bool(await bench.pool.fetchval("SELECT count(*) = $1 FROM dead_letters", count))


async def change(settings: Settings, what: str, *arguments: Any) -> None:
    admin = AIOKafkaAdminClient(**settings.kafka_options())
    await admin.start()
    await getattr(admin, what)(*arguments)
    await admin.close()


async def moved(settings: Settings, name: str, where: str = "start", *partitions: int) -> None:
    """As `profuse positions set` does."""
    topic = TOPICS[name].name
    await moving.move(settings, topic, planning.moves(await looking.placeable(settings, topic), where, partitions))


async def placed(settings: Settings, name: str) -> None:
    """As `profuse positions add` does."""
    topic = TOPICS[name].name
    await moving.move(settings, topic, planning.additions(await looking.placeable(settings, topic)))


async def refused(name: str, room: Hosted) -> str:
    """What a worker says of a topic that it does not read; a launcher goes on firing meanwhile."""
    if name == "launcher":
        await until(lambda: says(room, "none are scheduled"))
        return " ".join(await room.ready())
    ended = await room.ended()
    assert isinstance(ended, TopicChanged)
    return str(ended)


@pytest.mark.promise("P-OPS-32", "P-OPS-33", "P-OPS-14")
@pytest.mark.parametrize("name", OPENING)
async def test_a_topic_that_is_deleted_is_waited_for_and_one_made_anew_is_not_taken_for_it(bench: Bench, name: str) -> None:
    topic = topic_of(name, bench.settings)
    await feed(bench, topic)
    async with hosted(name, bench.settings) as room:
        await until(lambda: dead(bench, COUNT))
        await change(bench.settings, "delete_topics", [topic])
        await until(lambda: says(room, "run `profuse migrate`"))
        await migrate(bench.settings)
        await feed(bench, topic)
        said = await refused(name, room)
    # As docs/operations.md says; dead letters are known by their offsets.
    await bench.pool.execute("DELETE FROM dead_letters")
    await moved(bench.settings, name)
    async with hosted(name, bench.settings) as room:
        await until(lambda: dead(bench, COUNT))
        await until(lambda: says(room, ""))

    assert "docs/operations.md" in said


@pytest.mark.promise("P-OPS-32")
@pytest.mark.parametrize("name", OPENING)
async def test_a_worker_that_comes_before_its_topic_waits_for_it(bench: Bench, name: str) -> None:
    await change(bench.settings, "delete_topics", [topic_of(name, bench.settings)])
    async with hosted(name, bench.settings) as room:
        await until(lambda: says(room, "run `profuse migrate`"))
        await migrate(bench.settings)
        await until(lambda: says(room, ""))


@pytest.mark.promise("P-OPS-14", "P-OPS-33", "P-LAUNCH-32")
@pytest.mark.parametrize("name", OPENING)
async def test_partitions_that_are_added_stop_a_worker_until_they_have_positions(bench: Bench, name: str) -> None:
    topic = topic_of(name, bench.settings)
    async with hosted(name, bench.settings) as room:
        await until(lambda: says(room, ""))
        await change(bench.settings, "create_partitions", {topic: NewPartitions(bench.settings.partitions + 1)})
        said = await refused(name, room)
    await placed(bench.settings, name)
    async with hosted(name, bench.settings) as room:
        await until(lambda: says(room, ""))

    assert "docs/operations.md" in said


@pytest.mark.promise("P-OPS-14", "P-OPS-33")
@pytest.mark.parametrize("name", OPENING)
async def test_records_that_were_deleted_hold_their_partition_until_it_has_a_new_position(bench: Bench, name: str) -> None:
    topic = topic_of(name, bench.settings)
    await feed(bench, topic)
    await feed(bench, topic)
    partition = TopicPartition(topic, 0)
    await change(bench.settings, "delete_records", {partition: RecordsToDelete(COUNT)})
    async with hosted(name, bench.settings) as room:
        await until(lambda: says(room, "out of the topic's range"))
        held = await room.ready()
    await moved(bench.settings, name, str(COUNT), 0)
    async with hosted(name, bench.settings) as room:
        await until(lambda: dead(bench, COUNT))
        await until(lambda: says(room, ""))

    assert all("docs/operations.md" in problem for problem in held)
