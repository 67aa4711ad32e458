"""How a worker comes to its topic."""

from typing import Any

import asyncpg
import structlog

from runtime import schema

log = structlog.get_logger()


class TopicMissing(Exception):
    """There is no such topic (yet, or any more). It is waited for."""


async def subscribe(consumer: Any, topic: str, listener: Any, pool: asyncpg.Pool) -> None:
    """Join the group, once topic and tables are there; raises `TopicMissing`, `OldTables`, and what the servers raise."""
    await find(consumer, topic)
    await schema.check(pool)
    # Not before the start, which would wait for the topic, and for nothing else.
    consumer.subscribe([topic], listener=listener)
    log.info("joined", topic=topic)


async def find(consumer: Any, topic: str) -> None:
    """Raises `TopicMissing`."""
    if topic not in await consumer.topics():
        raise TopicMissing(f"there is no topic {topic}")
