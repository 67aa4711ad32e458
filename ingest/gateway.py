"""The room put together: its tasks, its endpoints, and how it stops."""

import asyncio
import socket
from collections.abc import Sequence

import structlog
import uvicorn

from ingest.admission.backpressure import PARTITIONS_CHANGED, Backpressure, PartitionsChanged
from ingest.admission.budget import Budget
from ingest.endpoints import registry, unsubscribing
from ingest.endpoints.batch import Tools
from ingest.endpoints.completion_poll import Waiters
from ingest.http.connections import bounded
from ingest.http.intake import Intake
from ingest.http.server import application
from ingest.publish.end_offsets import ANSWERED_WITHIN, BROKER_AWAY, Ends
from ingest.publish.fair_queue import FairQueue
from ingest.publish.producer import Producer
from ingest.publish.publication import BatchPublisher
from ingest.sql import batches, results
from ingest.sql.pool import Pool
from ingest.sql.results import Finished
from runtime.advice import away
from runtime.kafka import BrokerUnavailable
from runtime.postgres import POSTGRES_ERRORS, writes
from runtime.serving import Server
from schemas.settings import Settings
from schemas.topics import IMPORTS
from store import completion_hints

log = structlog.get_logger()

# Of the ten seconds that a gateway has to stop.
_REQUESTS_MAY_TAKE = 6.0
_CONNECTIONS_MAY_TAKE = 7
_PUBLISHING_MAY_TAKE = 7.5


class Gateway:
    """A running gateway."""

    def __init__(self, settings: Settings, pool: Pool, producer: Producer, ends: Ends) -> None:
        self._settings = settings
        self._pool = pool
        self._producer = producer
        self._ends = ends
        self._listener = _listener(settings)

    @property
    def url(self) -> str:
        host, port = self._listener.getsockname()[:2]
        return f"http://{host}:{port}"

    async def run(self, stop: asyncio.Event) -> None:
        """Serve until asked to stop; what was accepted is then published, and who waits is answered."""
        waiters = Waiters(self._finished, POSTGRES_ERRORS)
        async with asyncio.TaskGroup() as tasks:
            queue = FairQueue()
            backpressure = self._backpressure(queue)
            publisher = BatchPublisher(self._pool, self._producer, queue, self._settings.accepting_lease, tasks)
            hints = completion_hints.listen(self._settings, waiters.hear)
            running = (waiters.run(), hints, self._producer.run(), backpressure.run(), publisher.run(backpressure, stop))
            background = [tasks.create_task(endless) for endless in running]
            intake = Intake(self._settings, self._pool, backpressure)
            server = self._server(intake, publisher, backpressure, waiters)
            serving = tasks.create_task(server.serve([self._listener]))
            log.info("gateway_listening", url=self.url)
            await stop.wait()
            server.leave()
            waiters.leave()
            now = asyncio.get_running_loop().time()
            # Who still sends a body, or waits for a broker that does not confirm, is told so before the process goes.
            asyncio.get_running_loop().call_at(now + _REQUESTS_MAY_TAKE, intake.close)
            await serving
            await _drain(publisher, now + _PUBLISHING_MAY_TAKE)
            for task in background:
                task.cancel()

    async def ready(self) -> list[str]:
        return [*await self._producer.problems(), *await self._database_problems()]

    def _backpressure(self, queue: FairQueue) -> Backpressure:
        settings = self._settings
        return Backpressure(
            self._look,
            (*POSTGRES_ERRORS, BrokerUnavailable, PartitionsChanged),
            self._producer,
            queue,
            limit=settings.in_flight_limit,
            token_limit=settings.token_in_flight_limit,
            budget=Budget(settings.bodies_limit),
        )

    def _server(self, intake: Intake, publisher: BatchPublisher, backpressure: Backpressure, waiters: Waiters) -> Server:
        tools = Tools(self._settings, self._pool, self._producer, publisher, backpressure, waiters)
        app = application(intake, registry.served(tools), registry.pages(), unsubscribing.pages(self._settings, self._pool))
        return Server(
            uvicorn.Config(
                app,
                http=bounded(self._settings),
                ws="none",
                lifespan="off",
                log_config=None,
                access_log=False,
                server_header=False,
                proxy_headers=False,
                timeout_keep_alive=round(self._settings.keep_alive.total_seconds()),
                timeout_graceful_shutdown=_CONNECTIONS_MAY_TAKE,
            )
        )

    async def _look(self) -> tuple[list[int], list[int]]:
        """Where the topic ends, and where its matchers are."""
        # Positions first: what is matched in between counts as in flight, and nothing as less than that.
        async with asyncio.timeout(ANSWERED_WITHIN), self._pool.acquire() as connection:
            found = await batches.positions(connection, self._settings.topic(IMPORTS.name))
        if len(found) != self._producer.partitions:
            raise PartitionsChanged
        try:
            return await self._ends.read(), found
        except BROKER_AWAY as error:
            raise BrokerUnavailable from error

    async def _finished(self, waiting: Sequence[bytes]) -> list[Finished]:
        async with self._pool.acquire() as connection:
            return await results.finished(connection, waiting)

    async def _database_problems(self) -> list[str]:
        try:
            async with asyncio.timeout(ANSWERED_WITHIN), self._pool.acquire() as connection:
                await writes(connection)
                found = len(await batches.positions(connection, self._settings.topic(IMPORTS.name)))
        except POSTGRES_ERRORS as error:
            return [away("Postgres", error)]
        if found != self._producer.partitions:
            return [f"progress has {found} partitions of imports instead of {self._producer.partitions}: {PARTITIONS_CHANGED}"]
        return []


async def _drain(publisher: BatchPublisher, deadline: float) -> None:
    try:
        async with asyncio.timeout_at(deadline):
            await publisher.drain()
    except TimeoutError:
        log.warning("stopped_while_publishing")
        publisher.abandon()


def _listener(settings: Settings) -> socket.socket:
    if settings.socket_fd is not None:
        return socket.socket(fileno=settings.socket_fd)
    return socket.create_server((settings.host, settings.port), backlog=1024)
