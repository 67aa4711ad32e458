"""What an operator does about positions, and what is done to topics under his feet."""

import asyncio
import json
from collections.abc import Awaitable, Callable
from typing import Any

from aiokafka.admin import AIOKafkaAdminClient
from typer.testing import CliRunner, Result

from profuse.__main__ import app
from profuse.migrating import migrate
from schemas.settings import Settings
from schemas.topics import IMPORTS
from tests.kafka.conftest import Bench, until

Run = Callable[..., Awaitable[Result]]
COUNT = 20


async def run_apart(*arguments: str, **options: Any) -> Result:
    """The command, with an event loop of its own."""
    return await asyncio.to_thread(CliRunner().invoke, app, ["positions", *arguments], **options)


async def stored(bench: Bench) -> list[tuple[int, int]]:
    rows = await bench.pool.fetch(
        "SELECT partition, position FROM progress WHERE topic = $1 ORDER BY partition", bench.settings.topic(IMPORTS.name)
    )
    return [tuple(row) for row in rows]


async def listed(run: Run) -> list[dict[str, Any]]:
    result = await run("list", "--topic", "imports", "--json")
    if result.exception:
        raise result.exception
    return list(json.loads(result.stdout))


async def processed(bench: Bench, count: int = COUNT) -> None:
    async with bench.running():
        await bench.until_processed(count)


async def changed(settings: Settings, what: str, *arguments: Any) -> None:
    admin = AIOKafkaAdminClient(**settings.kafka_options())
    await admin.start()
    await getattr(admin, what)(*arguments)
    await admin.close()


async def made_anew(bench: Bench) -> None:
    topic = bench.settings.topic(IMPORTS.name)
    await changed(bench.settings, "delete_topics", [topic])
    await until(lambda: has_gone(bench.settings, topic))
    await migrate(bench.settings)


async def has_gone(settings: Settings, topic: str) -> bool:
    admin = AIOKafkaAdminClient(**settings.kafka_options())
    await admin.start()
    topics = await admin.list_topics()
    await admin.close()
    return topic not in topics
