"""An HTTP server inside of a process that has signals of its own, and rests while nobody asks."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager

import uvicorn
from starlette.types import ASGIApp

from runtime.connections import Connection
from runtime.racing import rest

# For the date in its answers.
_TICK = 1.0
# Of the loop: asyncio accepts, makes a transport, and tells the protocol.
_TURNS_TO_KNOW = 4


class Server(uvicorn.Server):
    """One that ends when it is told to, and by nothing else."""

    def __init__(self, config: uvicorn.Config) -> None:
        super().__init__(config)
        self._told = asyncio.Event()

    def leave(self) -> None:
        """Take no more connections, and end when what is under way is answered."""
        self.should_exit = True
        self._told.set()

    async def main_loop(self) -> None:
        # By itself it looks ten times a second, in each process, whether it should end.
        while not await self.on_tick(0):
            await rest(self._told, _TICK)

    async def shutdown(self, sockets: list[socket.socket] | None = None) -> None:
        loop = asyncio.get_running_loop()
        for listener in (listener for server in self.servers for listener in server.sockets):
            loop.remove_reader(listener.fileno())
        # Whoever was accepted just now is known a few turns later; until then asyncio drops him, unclosed, if its server closes.
        for _ in range(_TURNS_TO_KNOW):
            await asyncio.sleep(0)
        await super().shutdown(sockets)

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """The process answers signals, not its ports."""
        yield


@asynccontextmanager
async def serving(app: ASGIApp, listener: socket.socket, connection: type[Connection] = Connection) -> AsyncIterator[None]:
    """Serves while the block runs, without a log of its own."""
    config = uvicorn.Config(
        app,
        http=connection,
        ws="none",
        lifespan="off",
        log_config=None,
        access_log=False,
        server_header=False,
        timeout_graceful_shutdown=1,
    )
    server = Server(config)
    # Not in a task group: it would hide what the room raises inside an exception group.
    served = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield
    finally:
        server.leave()
        await served
