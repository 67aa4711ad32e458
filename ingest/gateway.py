"""The room put together: its tasks, its endpoints, and how it stops."""

import asyncio
import socket
from collections.abc import Iterator, Sequence
from contextlib import contextmanager

import structlog
import uvicorn

from ingest import batches, endpoints
from ingest.backpressure import PARTITIONS_CHANGED, Backpressure, PartitionsChanged
from ingest.budgets import Budget
from ingest.connections import bounded
from ingest.door import Door
from ingest.importing import Importing
from ingest.kafka import Publisher
from ingest.offsets import BROKER_AWAY, Ends
from ingest.postgres import Pool
from ingest.publishing import Publishing
from ingest.server import application
from ingest.turns import Turns
from ingest.waiting import Waiters
from runtime.kafka import BrokerUnavailable
from runtime.postgres import AWAY
from schemas.settings import Settings
from schemas.topics import IMPORTS

log = structlog.get_logger()

# Of the ten seconds that a gateway has to stop.
_REQUESTS_MAY_TAKE = 6.0
_CONNECTIONS_MAY_TAKE = 7
_PUBLISHING_MAY_TAKE = 7.5
_ANSWERING = 3.0


class Gateway:
    """A running gateway."""

    def __init__(self, settings: Settings, pool: Pool, publisher: Publisher, ends: Ends) -> None:
        self._settings = settings
        self._pool = pool
        self._publisher = publisher
        self._ends = ends
        self._listener = _listener(settings)

    @property
    def url(self) -> str:
        host, port = self._listener.getsockname()[:2]
        return f"http://{host}:{port}"

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until asked to stop; what was accepted is then published, and who waits is answered."""
        waiters = Waiters(self._finished, AWAY)
        async with asyncio.TaskGroup() as tasks:
            turns = Turns()
            backpressure = self._backpressure(turns)
            publishing = Publishing(self._pool, self._publisher, turns, self._settings.accepting_lease, tasks)
            running = (waiters.run(), self._publisher.run(), backpressure.run(), publishing.run(backpressure, stop))
            background = [tasks.create_task(endless) for endless in running]
            door = Door(self._settings, self._pool, backpressure)
            server = self._server(door, publishing, backpressure, waiters, stop)
            serving = tasks.create_task(server.serve([self._listener]))
            log.info("gateway_listening", url=self.url)
            await stop.wait()
            server.should_exit = True
            now = asyncio.get_running_loop().time()
            # Who still sends a body, or waits for a broker that does not confirm, is told so before the process goes.
            asyncio.get_running_loop().call_at(now + _REQUESTS_MAY_TAKE, door.close)
            await serving
            await _drain(publishing, now + _PUBLISHING_MAY_TAKE)
            for task in background:
                task.cancel()

    async def ready(self) -> list[str]:
        return [*await self._publisher.problems(), *await self._database_problems()]

    def _backpressure(self, turns: Turns) -> Backpressure:
        settings = self._settings
        return Backpressure(
            self._look,
            (*AWAY, BrokerUnavailable, PartitionsChanged),
            self._publisher,
            turns,
            limit=settings.in_flight_limit,
            token_limit=settings.token_in_flight_limit,
            budget=Budget(settings.bodies_limit),
        )

    def _server(self, door: Door, publishing: Publishing, backpressure: Backpressure, waiters: Waiters, stop: asyncio.Event) -> "_Server":
        importing = Importing(self._settings, self._pool, self._publisher, publishing, backpressure, waiters, stop, as_task=False)
        app = application(door, endpoints.served(self._settings, self._pool, importing), endpoints.pages())
        return _Server(
            uvicorn.Config(
                app,
                http=bounded(self._settings),
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                timeout_keep_alive=round(self._settings.keep_alive.total_seconds()),
                timeout_graceful_shutdown=_CONNECTIONS_MAY_TAKE,
            )
        )

    async def _look(self) -> tuple[list[int], list[int]]:
        """Where the topic ends, and where its matchers are."""
        # Positions first: what is matched in between counts as in flight, and nothing as less than that.
        async with asyncio.timeout(_ANSWERING), self._pool.acquire() as connection:
            found = await batches.positions(connection, self._settings.topic(IMPORTS.name))
        if len(found) != self._publisher.partitions:
            raise PartitionsChanged
        try:
            return await self._ends.read(), found
        except BROKER_AWAY as error:
            raise BrokerUnavailable from error

    async def _finished(self, waiting: Sequence[bytes]) -> list[bytes]:
        async with self._pool.acquire() as connection:
            return await batches.finished(connection, waiting)

    async def _database_problems(self) -> list[str]:
        try:
            async with asyncio.timeout(_ANSWERING), self._pool.acquire() as connection:
                found = len(await batches.positions(connection, self._settings.topic(IMPORTS.name)))
        except AWAY as error:
            return [f"Postgres does not answer ({type(error).__name__}): start it, or set PROFUSE_POSTGRES"]
        if found != self._publisher.partitions:
            return [f"progress has {found} partitions of imports instead of {self._publisher.partitions}: {PARTITIONS_CHANGED}"]
        return []


class _Server(uvicorn.Server):
    """Leaves signals to whoever hosts the room."""

    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        yield


async def _drain(publishing: Publishing, deadline: float) -> None:
    try:
        async with asyncio.timeout_at(deadline):
            await publishing.drain()
    except TimeoutError:
        log.warning("stopped_while_publishing")
        publishing.abandon()


def _listener(settings: Settings) -> socket.socket:
    if settings.socket_fd is not None:
        return socket.socket(fileno=settings.socket_fd)
    return socket.create_server((settings.host, settings.port), backlog=1024)
