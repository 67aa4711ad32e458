"""The launcher between its topics: real Kafka, Postgres and SMTP."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from typing import Any

import asyncpg
import pytest
from aiokafka import AIOKafkaConsumer
from aiosmtpd.smtp import SMTP, Envelope, Session

from runtime.producer import open_publisher
from schemas.messages import ProfilesMatched, TriggerStart
from schemas.settings import Settings
from schemas.topics import EVENTS, MATCHES, Outgoing
from tests.launching import World, matched, new_world
from workers.launcher.room import Launcher, open_launcher

pytestmark = pytest.mark.filterwarnings("ignore:.*:DeprecationWarning:aiosmtpd")


class Mailbox:
    """An SMTP server that counts what each recipient got."""

    def __init__(self) -> None:
        self.recipients: list[str] = []

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802
        self.recipients += envelope.rcpt_tos
        return "250 OK"


@asynccontextmanager
async def listening(mailbox: Mailbox) -> AsyncIterator[str]:
    loop = asyncio.get_running_loop()
    server = await loop.create_server(lambda: SMTP(mailbox, loop=loop), "127.0.0.1", 0)
    yield f"smtp://127.0.0.1:{server.sockets[0].getsockname()[1]}"
    server.close()


@asynccontextmanager
async def launcher(settings: Settings) -> AsyncIterator[Launcher]:
    stop = asyncio.Event()
    async with open_launcher(settings) as room, asyncio.TaskGroup() as rooms:
        running = rooms.create_task(room.run(stop))
        yield room
        stop.set()
        await asyncio.wait_for(running, 10)


async def send(settings: Settings, *messages: ProfilesMatched) -> None:
    async with open_publisher(settings) as publisher:
        await publisher.publish([Outgoing(settings.topic(MATCHES.name), each.batch.encode(), each.encode()) for each in messages])


async def read_events(settings: Settings, count: int) -> list[dict[str, Any]]:
    async with (
        AIOKafkaConsumer(
            settings.topic(EVENTS.name), **settings.kafka_options(), auto_offset_reset="earliest", enable_auto_commit=False
        ) as consumer,
        asyncio.timeout(30),
    ):
        return [json.loads((await consumer.getone()).value) for _ in range(count)]


async def until(pool: asyncpg.Pool, condition: str) -> None:
    async with asyncio.timeout(30):
        while not await pool.fetchval(f"SELECT {condition} FROM launches"):  # noqa: S608
            await asyncio.sleep(0.02)


@pytest.fixture
async def world(migrated: Settings, pool: asyncpg.Pool) -> World:
    return await new_world(pool)


@pytest.mark.promise("P-EVENT-01", "P-EVENT-02", "P-LAUNCH-10")
async def test_a_matched_message_becomes_mails_and_events(migrated: Settings, world: World) -> None:
    mailbox = Mailbox()
    message = matched(
        await world.batch(total=2), await world.profiles("a@example.com", "b@example.com"), [TriggerStart(trigger=world.trigger)]
    )
    async with listening(mailbox) as smtp, launcher(migrated.model_copy(update={"smtp": smtp})):
        await send(migrated, message)
        await until(world.pool, "count(finished_at) = 1")
        told = await read_events(migrated, 6)

    assert sorted(mailbox.recipients) == ["a@example.com", "b@example.com"]
    assert sorted(event["event_type"] for event in told) == ["import_api", "import_api", "launch", "launch", "send", "send"]


@pytest.mark.promise("P-LAUNCH-01", "P-LAUNCH-15", "P-OPS-05")
async def test_two_launchers_send_each_mail_once_even_if_messages_come_twice(migrated: Settings, world: World) -> None:
    mailbox = Mailbox()
    messages = [
        matched(await world.batch(), await world.profiles(f"{number}@example.com"), [TriggerStart(trigger=world.trigger)])
        for number in range(60)
    ]
    async with listening(mailbox) as smtp:
        settings = migrated.model_copy(update={"smtp": smtp})
        async with launcher(settings), launcher(settings):
            await send(migrated, *messages)
            await send(migrated, *messages)
            await until(world.pool, "count(finished_at) = 60")
            # The repeats are processed, too.
            await until(world.pool, "(SELECT sum(position) = 120 FROM progress WHERE topic LIKE '%matches')")

    assert sorted(mailbox.recipients) == sorted(f"{number}@example.com" for number in range(60))


@pytest.mark.promise("P-OPS-15")
async def test_a_mail_server_that_is_away_keeps_nobody_from_being_ready(migrated: Settings, world: World) -> None:
    nowhere = Mailbox()
    async with listening(nowhere) as smtp:
        pass
    message = matched(await world.batch(), await world.profiles("a@example.com"), [TriggerStart(trigger=world.trigger)])
    async with launcher(migrated.model_copy(update={"smtp": smtp})) as room:
        await send(migrated, message)
        await until(world.pool, "count(*) = 1 AND bool_and(fence = 1 AND run_at < now() + interval '6 s')")
        problems = room.alive() + await room.ready()

    assert problems == []
    assert await world.pool.fetchval("SELECT failed + launched FROM launches") == 0
