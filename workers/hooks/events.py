"""What records say; one that says nothing readable costs itself alone."""

from collections.abc import Sequence
from typing import Any

import structlog

from schemas import metrics
from workers.hooks.choosing import event_of
from workers.hooks.model import Event

log = structlog.get_logger()


def events_of(topic: str, partition: int, records: Sequence[Any], largest: int) -> list[Event]:
    """The events of records as the broker's client returns them, without those that no hook can be told of."""
    events: list[Event] = []
    for record in records:
        event = event_of(record.offset, record.value, largest)
        if isinstance(event, Event):
            events.append(event)
        else:
            metrics.HOOK_SKIPPED.labels(event).inc()
            log.error("event_skipped", topic=topic, partition=partition, offset=record.offset, why=event)
    return events
