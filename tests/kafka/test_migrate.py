"""`profuse migrate` on a real Kafka and Postgres."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from aiokafka.admin import AIOKafkaAdminClient, NewPartitions, NewTopic
from aiokafka.admin.config_resource import ConfigResource, ConfigResourceType
from structlog.testing import capture_logs

from profuse.migrating import migrate, starting, topics
from runtime.broker import look_at_topics
from runtime.errors import CannotRun
from runtime.schema import REVISION
from schemas.settings import Settings
from schemas.topics import ALL, EVENTS, IMPORTS, MATCHES, Topic
from tests.kafka.hosting import hosted, says


@asynccontextmanager
async def admin_of(settings: Settings) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(**settings.kafka_options())
    await admin.start()
    yield admin
    await admin.close()


@pytest.mark.promise("P-DOOR-09")
async def test_each_partition_that_a_worker_reads_has_a_first_position(migrated: Settings, pool: asyncpg.Pool) -> None:
    rows = await pool.fetch("SELECT topic, partition, position FROM progress ORDER BY topic, partition")

    read = (migrated.topic(IMPORTS.name), migrated.topic(MATCHES.name))
    assert [tuple(row) for row in rows] == [(topic, partition, 0) for topic in read for partition in range(migrated.partitions)]


@pytest.mark.promise("P-DOOR-09")
async def test_migrating_again_changes_nothing_and_moves_no_position_back(migrated: Settings, pool: asyncpg.Pool) -> None:
    await pool.execute("UPDATE progress SET position = 7")
    # A setting that differs from what was made is no change either.
    changed = await migrate(migrated.model_copy(update={"partitions": migrated.partitions + 1}))

    assert changed == []
    assert await pool.fetchval("SELECT array_agg(DISTINCT position) FROM progress") == [7]


@pytest.mark.promise("P-DOOR-09")
async def test_rivals_make_everything_once(migrated: Settings, pool: asyncpg.Pool) -> None:
    await pool.execute(f"DROP SCHEMA {migrated.prefix} CASCADE")
    async with asyncio.TaskGroup() as rivals:
        changes = [rivals.create_task(migrate(migrated)) for _ in range(3)]

    assert sorted(task.result() for task in changes) == [[], [], [f"tables: none → {REVISION}"]]


@pytest.mark.promise("P-OPS-01")
async def test_what_is_not_processed_yet_is_kept_for_ever(migrated: Settings) -> None:
    kept = {topic.name: await _configuration(migrated, migrated.topic(topic.name)) for topic in (IMPORTS, MATCHES, EVENTS)}

    assert [kept[topic.name]["retention.ms"] for topic in (IMPORTS, MATCHES)] == ["-1", "-1"]
    assert [kept[topic.name]["retention.bytes"] for topic in (IMPORTS, MATCHES)] == ["-1", "-1"]
    assert kept[EVENTS.name]["retention.ms"] == str(7 * 24 * 3600 * 1000)
    assert kept[EVENTS.name]["retention.bytes"] == "-1"


@pytest.mark.promise("P-HOOK-16")
async def test_events_are_kept_as_long_as_the_setting_says_and_may_be_kept_longer(tables: Settings) -> None:
    asked = tables.model_copy(update={"events_kept": timedelta(hours=1)})
    await migrate(asked)

    assert (await _configuration(asked, asked.topic(EVENTS.name)))["retention.ms"] == "3600000"

    await migrate(asked.model_copy(update={"events_kept": timedelta(minutes=1)}))
    with pytest.raises(CannotRun, match=r"retention.ms is 3600000, set it to 7200000"):
        await migrate(asked.model_copy(update={"events_kept": timedelta(hours=2)}))
    async with admin_of(asked) as admin:
        await admin.delete_topics([asked.topic(topic.name) for topic in ALL])


@pytest.mark.promise("P-OPS-43", "P-HOOK-16")
@pytest.mark.parametrize(
    ("topic", "setting", "value"),
    [
        (EVENTS, "retention.ms", "3600000"),
        (EVENTS, "retention.bytes", "1000000000"),
        (IMPORTS, "retention.ms", "604800000"),
        (MATCHES, "retention.bytes", "1000000000"),
        (IMPORTS, "cleanup.policy", "compact"),
        (EVENTS, "cleanup.policy", "compact,delete"),
        (MATCHES, "min.insync.replicas", "2"),
        (IMPORTS, "unclean.leader.election.enable", "true"),
        (MATCHES, "max.message.bytes", "100000"),
    ],
)
async def test_a_topic_that_would_lose_records_is_refused_and_told_by_the_workers(
    migrated: Settings, topic: Topic[Any], setting: str, value: str
) -> None:
    name = migrated.topic(topic.name)
    async with admin_of(migrated) as admin:
        await admin.alter_configs([ConfigResource(ConfigResourceType.TOPIC, name, {setting: value})])
    said = f"topic {name}: {setting} is {value}, set it to"
    async with asyncio.timeout(20):
        while not (await look_at_topics(migrated)).faults:
            await asyncio.sleep(0.02)
    with pytest.raises(CannotRun) as refused:
        await migrate(migrated)

    assert said in str(refused.value)
    async with hosted("matcher", migrated) as matcher, asyncio.timeout(20):
        while not await says(matcher, said):
            await asyncio.sleep(0.02)


@pytest.mark.promise("P-OPS-43")
async def test_topics_with_few_copies_are_warned_of(migrated: Settings) -> None:
    with capture_logs() as logs:
        await migrate(migrated)

    # One line, and not one for each: it is the first thing that a newcomer sees.
    assert [(entry["copies"], entry["topics"]) for entry in logs if entry["event"] == "few_copies"] == [
        (1, ", ".join(sorted(migrated.topic(topic.name) for topic in ALL)))
    ]


async def test_a_lost_topic_comes_back_with_as_many_partitions_as_it_had(migrated: Settings) -> None:
    name = migrated.topic(MATCHES.name)
    async with admin_of(migrated) as admin:
        await admin.delete_topics([name])
        await _until(admin, name, 0)
    changed = await migrate(migrated.model_copy(update={"partitions": migrated.partitions + 1}))

    assert changed == [f"topic {name}: created with {migrated.partitions} partitions"]


async def test_a_topic_that_somebody_else_made_meanwhile_is_fine(migrated: Settings) -> None:
    async with admin_of(migrated) as admin:
        made = await topics.create(admin, [NewTopic(migrated.topic(IMPORTS.name), 1, 1)])

    assert made == []


@pytest.mark.promise("P-OPS-14")
async def test_a_topic_that_grew_is_refused_because_keys_would_move(migrated: Settings) -> None:
    name = migrated.topic(IMPORTS.name)
    async with admin_of(migrated) as admin:
        await admin.create_partitions({name: NewPartitions(migrated.partitions + 2)})
        await _until(admin, name, migrated.partitions + 2)
    with pytest.raises(CannotRun, match=f"topic {name} has {migrated.partitions + 2} partitions but positions for {migrated.partitions}"):
        await migrate(migrated)


async def test_a_replication_that_the_brokers_cannot_give_is_told_at_once(migrated: Settings) -> None:
    other = migrated.model_copy(update={"prefix": f"{migrated.prefix}_other", "replication": 30})
    with pytest.raises(CannotRun, match="InvalidReplicationFactorError"):
        async with asyncio.timeout(starting.PATIENCE / 2):
            await migrate(other)

    await _drop(other)


async def test_a_broker_that_is_not_there_is_told_in_one_line(tables: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(starting, "PATIENCE", 0.1)
    with pytest.raises(CannotRun, match=r"^Kafka at 127\.0\.0\.1:1 does not do as asked \(.*\): start it, or set PROFUSE_KAFKA$"):
        await migrate(tables.model_copy(update={"kafka": "127.0.0.1:1"}))


async def _configuration(settings: Settings, topic: str) -> dict[str, str]:
    async with admin_of(settings) as admin:
        (answer,) = await admin.describe_configs([ConfigResource(ConfigResourceType.TOPIC, topic)])
    ((*_, entries),) = answer.resources
    return {entry[0]: entry[1] for entry in entries}


async def _until(admin: AIOKafkaAdminClient, name: str, partitions: int) -> None:
    """Wait until the broker shows the topic with so many partitions, all of them led; 0: until it is gone."""
    async with asyncio.timeout(20):
        while partitions != sum(
            part["leader"] >= 0 for topic in await admin.describe_topics() if topic["topic"] == name for part in topic["partitions"]
        ):
            await asyncio.sleep(0.02)


async def _drop(settings: Settings) -> None:
    connection = await asyncpg.connect(settings.postgres)
    await connection.execute(f"DROP SCHEMA {settings.prefix} CASCADE")
    await connection.close()
