"""Shows every launch as it happens, and how many are still pending."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from pathlib import Path
from textwrap import indent
from typing import Any

from aiokafka import AIOKafkaConsumer
from rich.console import Console
from rich.status import Status

from profuse import launches, mails
from profuse.postgres import transaction
from schemas.events import ProfileEvent
from schemas.ids import parse_id
from schemas.settings import Settings
from schemas.topics import EVENTS

_ENDINGS = ("send", "skip", "fail", "cancel")


@asynccontextmanager
async def events_from_now(settings: Settings) -> AsyncIterator[Any]:
    """What is published from here on; yields the consumer."""
    consumer = AIOKafkaConsumer(settings.topic(EVENTS.name), **settings.kafka_options(), auto_offset_reset="latest", group_id=None)
    await consumer.start()
    try:
        await consumer.seek_to_end()
        yield consumer
    finally:
        await consumer.stop()


async def show_launches(consumer: Any, settings: Settings, sink: Path | None, console: Console, turn: asyncio.Lock) -> None:
    """Until cancelled."""
    fired: dict[str, datetime] = {}
    async for record in consumer:
        event = ProfileEvent.decode(record.value)
        launch = event.event_data.get("launch_id")
        if launch and event.event_type == "launch":
            fired[launch] = datetime.fromisoformat(event.event_date)
        elif launch and event.event_type in _ENDINGS:
            due = await _due(settings, event)
            async with turn:
                console.print(_title(event, fired.pop(launch, due) - due), style="bold", markup=False, soft_wrap=True)
                console.print(_text(event, sink), markup=False, soft_wrap=True)


async def show_pending(settings: Settings, status: Status, console: Console) -> None:
    """Until cancelled: a line that counts down, or on no terminal one line per change."""
    before = ""
    while True:
        count, next_due = await _pending(settings)
        text = f"{count} launches pending"
        if text != before and not console.is_terminal:
            console.print(text)
        before = text
        status.update(f"{text}{_countdown(next_due)}. Ctrl-C stops everything.")
        await asyncio.sleep(0.5)


def _title(event: ProfileEvent, lateness: timedelta) -> str:
    facts = event.event_data
    late = lateness / timedelta(milliseconds=1)
    return f"\n{event.event_type}: trigger {facts['campaign_id']}, item {facts['item']} of batch {facts['batch_id']}, {late:.0f} ms late"


def _text(event: ProfileEvent, sink: Path | None) -> str:
    mail = mails.find(sink, event.event_data["launch_id"]) if sink else None
    return event.encode().decode() + (f"\n\n{indent(mails.shown(mail), '    ')}" if mail else "")


def _countdown(due: datetime | None) -> str:
    return "" if due is None else f", the next in {max(0.0, (due - datetime.now(UTC)).total_seconds()):.0f} s"


async def _due(settings: Settings, event: ProfileEvent) -> datetime:
    async with transaction(settings) as connection:
        found = await launches.groups(connection, parse_id(event.event_data["batch_id"]), limit=1)
    due: datetime = found[0]["due_at"]
    return due


async def _pending(settings: Settings) -> tuple[int, datetime | None]:
    async with transaction(settings) as connection:
        groups = [group for group in await launches.groups(connection, None, limit=1_000) if group["finished_at"] is None]
    count = sum(group["items"] - group["launched"] - group["skipped"] - group["failed"] - group["cancelled"] for group in groups)
    return count, min((group["due_at"] for group in groups), default=None)
