"""Creates the topics that are missing."""

from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager

import structlog
from aiokafka.admin import AIOKafkaAdminClient, NewTopic
from aiokafka.errors import KafkaError, LeaderNotAvailableError, NodeNotReadyError, TopicAlreadyExistsError, for_code

from profuse.migrating.starting import while_starting
from runtime.broker import partitions_of_all, topics_of
from runtime.errors import CannotRun
from schemas.settings import Settings
from schemas.topics import ALL, COPIES, safe_settings

log = structlog.get_logger()


async def create_missing(settings: Settings, stored: Mapping[str, int]) -> tuple[list[str], dict[str, int]]:
    """Topics made, and how many partitions each topic has; `stored` is how many there are positions for."""
    names = [settings.topic(topic.name) for topic in ALL]
    try:
        async with _open_admin(settings) as admin:
            made = await while_starting(_is_passing, create, admin, _missing(settings, await admin.list_topics(), stored))
            partitions = await while_starting(_is_passing, _all_visible, admin, names)
            found = await while_starting(_is_passing, topics_of, admin, settings)
    except (KafkaError, OSError, TimeoutError) as error:
        raise CannotRun(f"Kafka at {settings.kafka} does not do as asked ({error}): start it, or set PROFUSE_KAFKA") from error
    _refuse_other_counts(partitions, stored)
    if found.faults:
        raise CannotRun("\n".join(f"{fault} (kafka-configs.sh --alter), or records are lost" for fault in found.faults))
    if found.few_copies:
        log.warning(
            "few_copies",
            copies=min(found.few_copies.values()),
            topics=", ".join(sorted(found.few_copies)),
            todo=f"in production give each {COPIES}, or a disk that dies takes what was acknowledged along",
        )
    return made, partitions


def _refuse_other_counts(partitions: Mapping[str, int], stored: Mapping[str, int]) -> None:
    for name, count in stored.items():
        if (found := partitions.get(name, count)) != count:
            # Keys would move to other partitions and lose their order.
            raise CannotRun(
                f"topic {name} has {found} partitions but positions for {count}: "
                "keys would lose their order; docs/operations.md says how to go on (partitions were added)"
            )


def _missing(settings: Settings, existing: Sequence[str], stored: Mapping[str, int]) -> list[NewTopic]:
    """A topic that was lost comes back with as many partitions as it had."""
    named = {settings.topic(topic.name): topic for topic in ALL}
    return [
        NewTopic(
            name,
            stored.get(name, settings.partitions),
            settings.replication,
            topic_configs=safe_settings(topic, settings.replication, settings.kept(topic.kept_for)),
        )
        for name, topic in named.items()
        if name not in existing
    ]


@asynccontextmanager
async def _open_admin(settings: Settings) -> AsyncIterator[AIOKafkaAdminClient]:
    admin = AIOKafkaAdminClient(**settings.kafka_options(), request_timeout_ms=10_000)
    try:
        await while_starting(_is_passing, admin.start)
        yield admin
    finally:
        await admin.close()


async def create(admin: AIOKafkaAdminClient, new: Sequence[NewTopic]) -> list[str]:
    """Those that were made; somebody else may have made the others meanwhile."""
    if not new:
        return []
    if (await admin.describe_cluster())["controller_id"] < 0:
        raise NodeNotReadyError("there is no controller yet")
    answer = await admin.create_topics(new)
    for name, code, message in answer.topic_errors:
        if code not in (0, TopicAlreadyExistsError.errno):
            raise for_code(code)(f"{name}: {message}")
    return [name for name, code, _ in answer.topic_errors if code == 0]


async def _all_visible(admin: AIOKafkaAdminClient, names: Sequence[str]) -> dict[str, int]:
    """How many partitions each topic has, once every one of them is led."""
    described = await partitions_of_all(admin)
    for name in names:
        if any(partition["leader"] < 0 for partition in described.get(name) or [{"leader": -1}]):
            raise LeaderNotAvailableError(f"{name} is not led yet")
    return {name: len(described[name]) for name in names}


def _is_passing(error: BaseException) -> bool:
    return error.retriable if isinstance(error, KafkaError) else isinstance(error, (OSError, TimeoutError))
