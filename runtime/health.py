"""The health port of a process: /healthz, /readyz and /metrics."""

import asyncio
import socket
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import Protocol

import uvicorn
from prometheus_client import CONTENT_TYPE_LATEST, generate_latest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route


class Checked(Protocol):
    """What is asked how it is."""

    def alive(self) -> list[str]:
        """Problems with its progress."""

    async def ready(self) -> list[str]:
        """Problems with its edges."""


def application(room: Checked) -> Starlette:
    async def healthz(_: Request) -> Response:
        return _answer(room.alive())

    async def readyz(_: Request) -> Response:
        return _answer(await room.ready())

    async def metrics(_: Request) -> Response:
        return Response(generate_latest(), media_type=CONTENT_TYPE_LATEST)

    return Starlette(routes=[Route("/healthz", healthz), Route("/readyz", readyz), Route("/metrics", metrics)])


@asynccontextmanager
async def serving(room: Checked, listener: socket.socket) -> AsyncIterator[None]:
    config = uvicorn.Config(application(room), log_config=None, access_log=False, lifespan="off", timeout_graceful_shutdown=1)
    server = _Server(config)
    # Not in a task group: it would hide what the room raises inside an exception group.
    served = asyncio.create_task(server.serve(sockets=[listener]))
    try:
        yield
    finally:
        server.should_exit = True
        await served


class _Server(uvicorn.Server):
    @contextmanager
    def capture_signals(self) -> Iterator[None]:
        """The process answers signals, not its health port."""
        yield


def _answer(problems: list[str]) -> Response:
    return JSONResponse({"problems": problems}, status_code=503 if problems else 200)
