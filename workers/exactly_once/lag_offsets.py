"""Positions told to the broker, for lag tools; nothing depends on them, and nobody waits for them."""

import asyncio
import time
from collections.abc import Mapping
from typing import Any

import structlog
from aiokafka import TopicPartition

log = structlog.get_logger()

HINT_EVERY = 5.0


class LagOffsets:
    """One at a time, every few seconds."""

    def __init__(self) -> None:
        self._hinted = 0.0
        self._hinting: asyncio.Task[None] | None = None

    def give(self, consumer: Any, positions: Mapping[TopicPartition, int]) -> None:
        early = time.monotonic() - self._hinted < HINT_EVERY
        if early or not positions or not (self._hinting is None or self._hinting.done()):
            return
        self._hinted = time.monotonic()
        self._hinting = asyncio.create_task(consumer.commit(dict(positions)))
        self._hinting.add_done_callback(_hinted)


def _hinted(hint: asyncio.Task[None]) -> None:
    # Asked for, or it would be logged with its traceback.
    error = None if hint.cancelled() else hint.exception()
    if error is not None:
        log.debug("hint_refused", why=repr(error))
