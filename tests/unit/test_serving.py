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

from runtime.connections import Connection
from runtime.serving import serving

_GET = b"GET / HTTP/1.1\r\nhost: here\r\n\r\n"
_POST = b"POST / HTTP/1.1\r\nhost: here\r\ncontent-length: 10\r\n\r\nhalf"


async def hello(_: Request) -> Response:
    return PlainTextResponse("hello")


async def read(request: Request) -> Response:
    return PlainTextResponse(await request.body())


APP = Starlette(routes=[Route("/", hello), Route("/", read, methods=["POST"])])


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


@pytest.fixture
async def port(listener: socket.socket) -> AsyncIterator[int]:
    async with serving(APP, listener, Narrow):
        yield listener.getsockname()[1]


class Narrow(Connection):
    most = 3
    patience = 1.0


async def ended(reader: asyncio.StreamReader) -> bytes:
    """All that comes until the server ends it."""
    async with asyncio.timeout(20):
        try:
            return await reader.read()
        except ConnectionResetError:
            return b""


@pytest.mark.promise("P-HTTP-51")
@pytest.mark.parametrize("begun", [b"", b"GET /", b"GET / HTTP/1.1\r\nHost: x\r\n", _POST, _GET + b"GET /", _GET + _POST])
async def test_a_request_that_does_not_come_ends_its_connection(port: int, begun: bytes) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(begun)

    assert (await ended(reader)).count(b"HTTP/1.1 200") == (begun.count(_GET))
    writer.close()


@pytest.mark.promise("P-HTTP-51")
async def test_a_head_without_an_end_is_refused(port: int) -> None:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    writer.write(b"GET / HTTP/1.1\r\na: " + b"a" * 40_000)

    assert (await ended(reader)).startswith(b"HTTP/1.1 431 ")
    writer.close()


@pytest.mark.promise("P-HTTP-51")
async def test_who_asks_for_nothing_goes_before_whoever_asks(listener: socket.socket) -> None:
    class Patient(Narrow):
        patience, most = 60.0, 20

    async with serving(APP, listener, Patient):
        silent = [await asyncio.open_connection(*listener.getsockname()) for _ in range(Patient.most)]
        reader, writer = await asyncio.open_connection(*listener.getsockname())
        writer.write(_GET)
        async with asyncio.timeout(20):
            answered = await reader.readuntil(b"hello")
            # The one that had waited for longest.
            assert await silent[0][0].read() == b""
        for _, each in [*silent, (reader, writer)]:
            each.close()

    assert answered.startswith(b"HTTP/1.1 200")


@pytest.mark.promise("P-HTTP-51")
async def test_those_who_are_being_answered_are_left_alone(listener: socket.socket) -> None:
    asked: list[Request] = []
    all_asked, go_on = asyncio.Event(), asyncio.Event()

    async def wait(request: Request) -> Response:
        asked.append(request)
        if len(asked) == Narrow.most:
            all_asked.set()
        await go_on.wait()
        return PlainTextResponse("hello")

    class Patient(Narrow):
        patience = 60.0

    async with serving(Starlette(routes=[Route("/", wait)]), listener, Patient):
        asking = [await asyncio.open_connection(*listener.getsockname()) for _ in range(3)]
        for _, writer in asking:
            writer.write(_GET)
        async with asyncio.timeout(20):
            await all_asked.wait()
        another, writer = await asyncio.open_connection(*listener.getsockname())
        refused = await ended(another)
        go_on.set()
        async with asyncio.timeout(20):
            answered = [await reader.readuntil(b"hello") for reader, _ in asking]
        for _, each in [*asking, (another, writer)]:
            each.close()

    assert refused.startswith(b"HTTP/1.1 503 ")
    assert len(answered) == Narrow.most


async def test_signals_stay_the_process_own(listener: socket.socket) -> None:
    before = signal.getsignal(signal.SIGTERM)
    async with serving(APP, listener):
        _, writer = await asyncio.open_connection(*listener.getsockname())
        writer.close()

        assert signal.getsignal(signal.SIGTERM) is before
