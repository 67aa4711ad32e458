"""Runs one room in the foreground until it is asked to stop."""

import asyncio
import os
import signal
import socket
import sys
from collections.abc import Callable
from contextlib import AbstractAsyncContextManager
from typing import Protocol

import structlog

from runtime import kafka, logs, postgres, tracing
from runtime.errors import CannotRun
from runtime.health import Checked, application
from runtime.loop_watch import watched_loop
from runtime.masking import masked
from runtime.serving import serving
from runtime.trouble import innermost
from schemas.settings import Settings

log = structlog.get_logger()

# A server is away or refuses; whoever supervises this process starts it again.
_SERVER_ERRORS = (*kafka.AWAY, *postgres.POSTGRES_ERRORS)
# Before whoever supervises it loses patience.
_GONE_WITHIN = 9.0


class Room(Checked, Protocol):
    """What a process hosts."""

    async def run(self, stop: asyncio.Event) -> None:
        """Work until `stop` is set, then finish what is at hand."""


OpenRoom = Callable[[Settings], AbstractAsyncContextManager[Room]]


def host(name: str, open_room: OpenRoom, settings: Settings, fatal: tuple[type[Exception], ...] = ()) -> None:
    """Raises `CannotRun` for what the operator can mend: a server that is away or refuses, or one of `fatal`."""
    logs.configure(settings)
    tracing.start(name, settings)
    reason: BaseException | None = None
    try:
        asyncio.run(_run(name, open_room, settings))
    # A room's own task groups wrap what went wrong.
    except* (*_SERVER_ERRORS, *fatal) as group:
        reason = innermost(group)
    finally:
        tracing.stop()
    if reason is not None:
        raise CannotRun(f"{name} stops: {reason or type(reason).__name__}{_advice(reason, settings)}")


async def _run(name: str, open_room: OpenRoom, settings: Settings) -> None:
    stop = asyncio.Event()
    loop = asyncio.get_running_loop()
    for stopping in (signal.SIGTERM, signal.SIGINT):
        loop.add_signal_handler(stopping, _ask_to_stop, name, stop)
    with _listening(settings) as listener:
        async with open_room(settings) as room, serving(application(room), listener), watched_loop():
            log.info("room_started", room=name, health_port=listener.getsockname()[1])
            await room.run(stop)
    log.info("room_stopped", room=name)


def _ask_to_stop(name: str, stop: asyncio.Event) -> None:
    stop.set()
    # A server that is frozen lets nobody finish or say goodbye; to end here is no worse than to be killed.
    asyncio.get_running_loop().call_later(_GONE_WITHIN, _give_up, name)


def _give_up(name: str) -> None:
    log.warning("room_stopped_unfinished", room=name)
    sys.stdout.flush()
    os._exit(1)


def _listening(settings: Settings) -> socket.socket:
    try:
        return socket.create_server((settings.host, settings.health_port))
    except OSError as error:
        raise CannotRun(
            f"The health port {settings.health_port} cannot be used ({os.strerror(error.errno or 0)}): set PROFUSE_HEALTH_PORT."
        ) from None


def _advice(reason: BaseException, settings: Settings) -> str:
    if not isinstance(reason, _SERVER_ERRORS):
        return ""
    return f"; do Kafka at {settings.kafka} and Postgres at {masked(settings.postgres)} answer?"
