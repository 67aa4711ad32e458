"""A server that hosts a process' pages: it ends when it is told to, and knows everybody whom it accepted."""

import asyncio
import signal
import socket
from collections.abc import AsyncIterator

import pytest
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from runtime.serving import serving

_GET = b"GET / HTTP/1.1\r\nhost: here\r\n\r\n"


async def hello(_: Request) -> Response:
    return PlainTextResponse("hello")


APP = Starlette(routes=[Route("/", hello)])


@pytest.fixture
async def listener() -> AsyncIterator[socket.socket]:
    with socket.create_server(("127.0.0.1", 0)) as listening:
        yield listening


async def test_it_answers_with_a_date_and_ends_at_once(listener: socket.socket) -> None:
    async with asyncio.timeout(10):
        async with serving(APP, listener):
            reader, writer = await asyncio.open_connection(*listener.getsockname())
            writer.write(_GET)
            head = await reader.readuntil(b"\r\n\r\n")
        # Who rests on his connection is told.
        rest = await reader.read()
        writer.close()

    assert head.startswith(b"HTTP/1.1 200")
    assert b"\r\ndate: " in head.lower()
    assert rest == b"hello"


async def test_whoever_is_accepted_in_the_moment_of_the_end_is_told_to_go(listener: socket.socket) -> None:
    address = listener.getsockname()
    async with asyncio.timeout(10):
        async with serving(APP, listener):
            connecting = [asyncio.create_task(asyncio.open_connection(*address)) for _ in range(5)]
            # The kernel has them; the server learns of them in the very turn in which it is told to end.
            while not all(task.done() for task in connecting):
                await asyncio.sleep(0)
        for reader, writer in [task.result() for task in connecting]:
            with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
                await reader.readexactly(1)
            writer.close()


async def test_signals_stay_the_process_own(listener: socket.socket) -> None:
    before = signal.getsignal(signal.SIGTERM)
    async with serving(APP, listener):
        _, writer = await asyncio.open_connection(*listener.getsockname())
        writer.close()

        assert signal.getsignal(signal.SIGTERM) is before
