"""The room of the console: its page's port, its connections, and its looks at the others."""

import asyncio
import os
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from starlette.types import ASGIApp

from profuse.console.acting.deed import Means
from profuse.console.acting.jobs import Jobs
from profuse.console.application import application
from profuse.console.desk import Desk
from profuse.console.showing.views import Views
from profuse.console.watching import asking
from profuse.console.watching.lag import Lags
from profuse.console.watching.rates import Look
from profuse.console.watching.sampler import Sampler
from profuse.plain_http import plain_client
from runtime import schema
from runtime.errors import CannotRun
from runtime.postgres import POSTGRES_ERRORS, ask, open_pool
from runtime.serving import serving
from schemas.settings import Settings

_ANSWERED_WITHIN = 2.0
# Whoever looks must never cost the pipeline more than this: a statement's time, and connections.
_PATIENCE = {"statement_timeout": "10s"}
_READS, _WRITES = 4, 2


class Console:
    """Serves until it is asked to stop."""

    def __init__(self, app: ASGIApp, desk: Desk, listener: socket.socket) -> None:
        self._app = app
        self._desk = desk
        self._listener = listener
        self._looking: asyncio.Task[None] | None = None

    async def run(self, stop: asyncio.Event) -> None:
        self._looking = asyncio.create_task(self._desk.sampler.run())
        try:
            async with serving(self._app, self._listener):
                await stop.wait()
        finally:
            self._looking.cancel()
            await asyncio.gather(self._looking, return_exceptions=True)
            await self._desk.jobs.stop()

    def alive(self) -> list[str]:
        return ["nobody looks at the other processes any more"] if self._looking and self._looking.done() else []

    async def ready(self) -> list[str]:
        try:
            async with asyncio.timeout(_ANSWERED_WITHIN):
                await ask(self._desk.reads)
                await schema.check(self._desk.reads)
        except (*POSTGRES_ERRORS, schema.OldTables) as error:
            return [f"Postgres: {error or type(error).__name__}"]
        return []


@asynccontextmanager
async def open_console(settings: Settings, directory: Path) -> AsyncIterator[Console]:
    with _listening(settings) as listener:
        reading = {**_PATIENCE, "default_transaction_read_only": "on"}
        async with (
            await open_pool(settings, _READS, **reading) as reads,
            await open_pool(settings, _WRITES, **_PATIENCE) as writes,
            plain_client(timeout=asking.PATIENCE) as client,
        ):

            async def look() -> Look:
                return await asking.look(client, await asking.places(settings, directory))

            means = Means(settings, reads)
            desk = Desk(settings, directory, reads, writes, Views(), Sampler(look), Lags(settings, reads), Jobs(means, writes), means)
            yield Console(application(desk), desk, listener)


def _listening(settings: Settings) -> socket.socket:
    """The socket that `profuse up` lends, or one of its own."""
    if settings.console_fd is not None:
        return socket.socket(fileno=settings.console_fd)
    try:
        return socket.create_server((settings.host, settings.console_port))
    except OSError as error:
        reason = os.strerror(error.errno or 0)
        raise CannotRun(f"The console's port {settings.console_port} cannot be used ({reason}): set PROFUSE_CONSOLE_PORT.") from None
