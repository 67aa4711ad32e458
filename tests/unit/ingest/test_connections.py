"""Clients that are slow, endless or too many, on real connections."""

import asyncio
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager, suppress
from datetime import timedelta

import pytest
import uvicorn
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import PlainTextResponse, Response
from starlette.routing import Route

from ingest.admission.budget import Budget, Share
from ingest.http import bodies
from ingest.http.connections import GatewayConnection, bounded
from ingest.request_errors import Refused
from runtime import connections
from schemas import metrics
from schemas.settings import KIB, MIB, Settings

SETTINGS = Settings(client_patience=timedelta(seconds=0.3), connections_limit=3)
HEAD = b"POST /%s HTTP/1.1\r\nHost: x\r\nContent-Length: %d\r\n\r\n"
REQUEST = HEAD % (b"read", 2) + b"ok"

Connection = tuple[asyncio.StreamReader, asyncio.StreamWriter]


async def read(request: Request) -> Response:
    try:
        body = await bodies.read(request.stream(), gzipped=False, settings=SETTINGS, share=Share(Budget(MIB)))
    except Refused as refused:
        return Response(refused.answer().body(), refused.error)
    return PlainTextResponse(str(len(body)))


async def refuse(_: Request) -> Response:
    return PlainTextResponse("no", 401)


async def wait(request: Request) -> Response:
    """For its body, and for what comes behind it."""
    body = await request.body()
    (connection,) = request.app.state.server.server_state.connections
    await until(lambda: connection._deaf or connection._begun)
    await asyncio.sleep(2 * SETTINGS.client_patience.total_seconds())
    return PlainTextResponse(str(len(body)))


async def answer_much(_: Request) -> Response:
    return PlainTextResponse("x" * 32 * MIB)


async def until(holds: Callable[[], bool]) -> None:
    async with asyncio.timeout(20):
        while not holds():
            await asyncio.sleep(0.01)


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[uvicorn.Server]:
    paths = {"/read": read, "/wait": wait, "/refuse": refuse, "/much": answer_much}
    app = Starlette(routes=[Route(path, endpoint, methods=["POST"]) for path, endpoint in paths.items()])
    config = uvicorn.Config(
        app,
        http=bounded(settings),
        ws="none",
        lifespan="off",
        log_config=None,
        port=0,
        timeout_keep_alive=30,
        timeout_graceful_shutdown=30,
    )
    server = app.state.server = uvicorn.Server(config)
    async with asyncio.TaskGroup() as tasks:
        tasks.create_task(server._serve())
        await until(lambda: server.started)
        yield server
        server.should_exit = True


def port_of(server: uvicorn.Server) -> int:
    port: int = server.servers[0].sockets[0].getsockname()[1]
    return port


@pytest.fixture
async def port() -> AsyncIterator[int]:
    async with serving(SETTINGS) as server:
        yield port_of(server)


@pytest.fixture
async def patient() -> AsyncIterator[uvicorn.Server]:
    async with serving(SETTINGS.model_copy(update={"client_patience": timedelta(seconds=30)})) as server:
        yield server


async def stopped(server: uvicorn.Server) -> None:
    """Returns when all its connections have been told."""
    server.should_exit = True
    await until(lambda: not server.servers[0].is_serving())


@asynccontextmanager
async def connected(port: int, *sent: bytes) -> AsyncIterator[Connection]:
    reader, writer = await asyncio.open_connection("127.0.0.1", port)
    try:
        for part in sent:
            writer.write(part)
            await writer.drain()
        yield reader, writer
    finally:
        writer.close()
        with suppress(OSError):
            await writer.wait_closed()


async def ended(reader: asyncio.StreamReader) -> bytes:
    """All that comes until the other side ends the connection, which it must do soon."""
    received = b""
    with suppress(ConnectionResetError):
        async with asyncio.timeout(20):
            while part := await reader.read(65_536):
                received += part
    return received


@pytest.mark.promise("P-HTTP-37")
@pytest.mark.parametrize("begun", [b"", b"POST /rea", b"POST /read HTTP/1.1\r\nHost: x\r\nX-Endless: "])
async def test_a_head_that_does_not_come_ends_the_connection(port: int, begun: bytes) -> None:
    async with connected(port, begun) as (reader, _):
        assert await ended(reader) == b""


@pytest.mark.promise("P-HTTP-37")
async def test_a_second_head_that_does_not_come_ends_it_too(port: int) -> None:
    async with connected(port, HEAD % (b"read", 0), b"POST /rea") as (reader, _):
        assert (await ended(reader)).endswith(b"\r\n\r\n0")


@pytest.mark.promise("P-HTTP-37")
@pytest.mark.parametrize("head", [b"POST /%s HTTP/1.1\r\n" % (b"x" * 40 * KIB), b"POST / HTTP/1.1\r\nX-Long: " + b"x" * 40 * KIB])
async def test_a_head_without_an_end_is_refused(port: int, head: bytes) -> None:
    async with connected(port) as (reader, writer):
        writer.write(head)
        answer = await ended(reader)

    assert answer.startswith(b"HTTP/1.1 431 ")


@pytest.mark.promise("P-HTTP-37")
@pytest.mark.parametrize("begun", [b"", b"only this"])
async def test_a_body_that_stops_coming_may_be_sent_again(port: int, begun: bytes) -> None:
    async with connected(port, HEAD % (b"read", 100) + begun) as (reader, _):
        answer = await ended(reader)

    assert answer.startswith(b"HTTP/1.1 503 ")
    assert b"the body comes too slowly" in answer


@pytest.mark.promise("P-HTTP-37")
async def test_a_body_that_trickles_is_refused(port: int) -> None:
    async with connected(port, HEAD % (b"read", 100_000)) as (reader, writer):
        trickling = asyncio.create_task(_trickle(writer))
        answer = await ended(reader)
        trickling.cancel()

    assert b"the body comes too slowly" in answer


async def _trickle(writer: asyncio.StreamWriter) -> None:
    while True:
        writer.write(b"x")
        await asyncio.sleep(0.01)


async def test_a_body_that_keeps_coming_may_take_longer_than_the_patience(port: int) -> None:
    parts, size = 6, 16 * KIB
    async with connected(port, HEAD % (b"read", parts * size)) as (reader, writer):
        for _ in range(parts):
            writer.write(b"x" * size)
            await asyncio.sleep(0.1)
        async with asyncio.timeout(20):
            await reader.readuntil(b"\r\n\r\n")
            assert await reader.readexactly(5) == b"%d" % (parts * size)


@pytest.mark.promise("P-HTTP-37", "P-HTTP-18")
async def test_who_goes_on_sending_what_was_refused_is_cut_off(port: int) -> None:
    async with connected(port, HEAD % (b"refuse", 10**9)) as (reader, writer):
        trickling = asyncio.create_task(_trickle(writer))
        answer = await ended(reader)
        trickling.cancel()

    assert answer.startswith(b"HTTP/1.1 401 ")


async def test_a_connection_whose_refused_body_has_come_is_used_again(port: int) -> None:
    async with connected(port, HEAD % (b"refuse", 4), b"body", HEAD % (b"read", 2) + b"ok") as (reader, _):
        async with asyncio.timeout(20):
            await reader.readuntil(b"no")
            await reader.readuntil(b"\r\n\r\n2")


@pytest.mark.promise("P-HTTP-37")
async def test_a_connection_goes_on_however_much_later_its_refused_body_came(patient: uvicorn.Server) -> None:
    async with connected(port_of(patient), HEAD % (b"refuse", 4)) as (reader, writer):
        async with asyncio.timeout(20):
            await reader.readuntil(b"no")
        (connection,) = patient.server_state.connections
        await until(lambda: connection._limit is not None)  # type: ignore[union-attr]
        limit = connection._limit  # type: ignore[union-attr]
        writer.write(b"body")
        await until(limit.cancelled)
        writer.write(REQUEST)
        async with asyncio.timeout(20):
            await reader.readuntil(b"\r\n\r\n2")


@pytest.mark.promise("P-HTTP-37")
async def test_a_client_that_never_reads_its_answer_is_cut_off(patient: uvicorn.Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "_FORGOTTEN_AFTER", 0.1)
    async with connected(port_of(patient), b"POST /much HTTP/1.1\r\nHost: x\r\nConnection: close\r\nContent-Length: 0\r\n\r\n"):
        await until(lambda: bool(patient.server_state.connections))
        await until(lambda: not patient.server_state.connections)


@pytest.mark.promise("P-HTTP-37")
async def test_one_connection_too_many_is_told_to_come_back(port: int) -> None:
    async with connected(port), connected(port), connected(port) as (third, writer), connected(port) as (fourth, _):
        refused = await ended(fourth)
        writer.write(HEAD % (b"read", 0))
        async with asyncio.timeout(20):
            served = await third.readuntil(b"\r\n")

    assert refused.startswith(b"HTTP/1.1 503 ")
    assert b"retry-after: 1" in refused.lower()
    assert served == b"HTTP/1.1 200 OK\r\n"


@pytest.mark.promise("P-WATCH-06")
async def test_one_connection_too_many_is_counted(port: int) -> None:
    counted = metrics.REQUESTS.labels("connections", "503")._value
    before = counted.get()
    async with connected(port), connected(port), connected(port), connected(port) as (fourth, _):
        await ended(fourth)

    assert counted.get() - before == 1


async def test_nobody_is_led_to_another_protocol(port: int) -> None:
    upgrade = b"POST /read HTTP/1.1\r\nHost: x\r\nConnection: Upgrade\r\nUpgrade: websocket\r\nContent-Length: 0\r\n\r\n"
    async with connected(port, upgrade) as (reader, _), asyncio.timeout(20):
        assert await reader.readuntil(b"\r\n") == b"HTTP/1.1 200 OK\r\n"


@pytest.mark.parametrize("parts", [1, 2, 3], ids=["at once", "in two parts", "in three parts"])
async def test_an_offer_of_another_protocol_costs_no_body(port: int, parts: int) -> None:
    offer = b"Connection: Upgrade, HTTP2-Settings\r\nUpgrade: h2c\r\nHTTP2-Settings: AAEAAEAAAAIAAAAA\r\n"
    request = HEAD.replace(b"Host: x\r\n", b"Host: x\r\n" + offer) % (b"read", 9) + b'{"a":"b"}' + REQUEST
    async with connected(port) as (reader, writer), asyncio.timeout(20):
        for part in range(parts):
            writer.write(request[part * len(request) // parts : (part + 1) * len(request) // parts])
            await asyncio.sleep(0.05)
        for size in (b"9", b"2"):
            assert await reader.readuntil(b"\r\n") == b"HTTP/1.1 200 OK\r\n"
            assert (await reader.readuntil(b"\r\n\r\n" + size)).endswith(size)


@pytest.mark.promise("P-HTTP-37")
@pytest.mark.parametrize("trailers", [b"a:b\r\n" * 10, b"x: " + b"y" * 60], ids=["many", "one without an end"])
async def test_what_comes_behind_a_body_has_an_end(patient: uvicorn.Server, trailers: bytes) -> None:
    head = b"POST /read HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\n"
    async with connected(port_of(patient), head) as (reader, writer):
        await until(lambda: bool(patient.server_state.tasks))
        writer.write(trailers * KIB)
        answer = await ended(reader)

    assert answer.startswith(b"HTTP/1.1 431 ")


async def test_what_stands_behind_a_body_is_no_header(port: int) -> None:
    head = b"POST /read HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n0\r\nAuthorization: Bearer x\r\n\r\n"
    async with connected(port, head + REQUEST) as (reader, _), asyncio.timeout(20):
        assert await reader.readuntil(b"\r\n\r\n2")
        assert await reader.readuntil(b"\r\n\r\n2")


@pytest.mark.promise("P-HTTP-37")
async def test_requests_that_are_sent_before_others_are_answered_are_not_taken_without_end(patient: uvicorn.Server) -> None:
    async with connected(port_of(patient), HEAD % (b"wait", 2) + b"ok" + REQUEST * 1_000) as (reader, _):
        answered = await ended(reader)

    assert answered.count(b"HTTP/1.1 200 OK\r\n") == 1 + connections._PIPELINED
    assert answered.count(b"connection: close\r\n") == 1
    assert b"HTTP/1.1 4" not in answered


@pytest.mark.parametrize("behind", [b"}", b"POST /read HTTP/1.1\r\nX: " + b"x" * 40 * KIB, b"\xff\xff"])
async def test_a_request_gets_its_own_answer_whatever_comes_behind_it(patient: uvicorn.Server, behind: bytes) -> None:
    async with connected(port_of(patient), HEAD % (b"wait", 2) + b"ok") as (reader, writer):
        await until(lambda: bool(patient.server_state.tasks))
        writer.write(behind)
        answer = await ended(reader)

    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert answer.count(b"HTTP/1.1") == 1
    assert b"connection: close\r\n" in answer


async def test_a_head_that_is_begun_does_not_end_the_request_before_it(port: int) -> None:
    async with connected(port, HEAD % (b"wait", 2) + b"ok", REQUEST[:9]) as (reader, _):
        assert (await ended(reader)).startswith(b"HTTP/1.1 200 OK\r\n")


async def test_of_a_broken_request_in_a_row_those_before_it_are_answered(patient: uvicorn.Server) -> None:
    broken = b"POST /read HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\nZ"
    async with connected(port_of(patient), HEAD % (b"wait", 2) + b"ok" + REQUEST + broken) as (reader, _):
        answered = await ended(reader)

    assert answered.count(b"HTTP/1.1 200 OK\r\n") == answered.count(b"HTTP/1.1") == 2


async def test_a_body_that_breaks_off_is_not_taken_for_whole(port: int) -> None:
    head = b"POST /read HTTP/1.1\r\nHost: x\r\nTransfer-Encoding: chunked\r\n\r\n2\r\n{}\r\n"
    async with connected(port, head, b"Z") as (reader, _):
        assert (await ended(reader)).startswith(b"HTTP/1.1 400 ")


@pytest.mark.promise("P-HTTP-37", "P-HTTP-41")
@pytest.mark.parametrize(
    ("request_", "answered", "behind"),
    [(REQUEST, b"\r\n\r\n2", b"\r\n"), (HEAD % (b"refuse", 4), b"no", b"body")],
    ids=["an empty line", "the rest of a refused body"],
)
async def test_who_says_no_more_is_not_waited_for_for_ever(
    patient: uvicorn.Server, request_: bytes, answered: bytes, behind: bytes
) -> None:
    async with connected(port_of(patient), request_) as (reader, writer):
        async with asyncio.timeout(20):
            await reader.readuntil(answered)
        (connection,) = patient.server_state.connections
        connection.timeout_keep_alive = 0.2  # type: ignore[union-attr]
        writer.write(behind)

        assert await ended(reader) == b""


async def test_a_client_that_reads_slowly_gets_all_of_its_answer(patient: uvicorn.Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(connections, "_FORGOTTEN_AFTER", 0.1)
    received = 0
    async with connected(port_of(patient), HEAD % (b"much", 0)) as (reader, _), asyncio.timeout(60):
        while received < 32 * MIB:
            part = await reader.read(256 * KIB)
            assert part
            received += len(part)
            await asyncio.sleep(0.005)


@pytest.mark.promise("P-HTTP-37")
async def test_a_client_that_reads_no_answers_is_cut_off_while_it_asks_for_more(
    patient: uvicorn.Server, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "_FORGOTTEN_AFTER", 0.1)
    async with connected(port_of(patient), (HEAD % (b"much", 0)) * 3):
        await until(lambda: bool(patient.server_state.connections))
        await until(lambda: not patient.server_state.connections)


@pytest.mark.promise("P-HTTP-26")
@pytest.mark.parametrize(
    "request_line",
    [
        b"\x00\xff\r\n\r\n",
        b"GET \xff HTTP/1.1\r\n\r\n",
        b"CONNECT x:1 HTTP/1.1\r\n\r\n",
        b"POST * HTTP/9.9\r\n\r\n",
    ],
)
async def test_what_is_no_http_gets_the_envelope(port: int, request_line: bytes) -> None:
    async with connected(port, request_line) as (reader, _):
        answer = await ended(reader)

    assert answer.startswith(b"HTTP/1.1 4")
    assert b"HTTP/1.1 400" not in answer or b'{"error":400,"error_debug"' in answer


@pytest.mark.promise("P-OPS-12")
async def test_a_request_on_its_way_to_a_server_that_stops_is_answered_as_the_last(patient: uvicorn.Server) -> None:
    async with connected(port_of(patient)) as (reader, writer):
        await until(lambda: bool(patient.server_state.connections))
        await stopped(patient)
        writer.write(REQUEST)
        answer = await ended(reader)

    assert answer.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"connection: close\r\n" in answer


@pytest.mark.promise("P-OPS-12")
async def test_a_client_that_comes_back_as_the_server_stops_is_answered_once_more(patient: uvicorn.Server) -> None:
    async with connected(port_of(patient), REQUEST) as (reader, writer):
        first = await reader.readuntil(b"\r\n\r\n2")
        await stopped(patient)
        writer.write(REQUEST)
        second = await ended(reader)

    assert b"connection: close" not in first
    assert second.startswith(b"HTTP/1.1 200 OK\r\n")
    assert b"connection: close\r\n" in second


@pytest.mark.promise("P-OPS-12")
async def test_a_head_that_has_begun_may_end(patient: uvicorn.Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GatewayConnection, "lingers", 0.001)
    async with connected(port_of(patient), REQUEST + REQUEST[:9]) as (reader, writer):
        await reader.readuntil(b"\r\n\r\n2")
        await stopped(patient)
        writer.write(REQUEST[9:])

        assert (await ended(reader)).startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.promise("P-OPS-12")
async def test_a_request_that_is_being_answered_is_not_cut_off(patient: uvicorn.Server, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(GatewayConnection, "lingers", 0.001)
    async with connected(port_of(patient), REQUEST[:-2]) as (reader, writer):
        await until(lambda: bool(patient.server_state.tasks))
        await stopped(patient)
        writer.write(REQUEST[-2:])

        assert (await ended(reader)).startswith(b"HTTP/1.1 200 OK\r\n")


@pytest.mark.promise("P-OPS-13")
async def test_a_client_that_does_not_come_back_holds_no_server_up(patient: uvicorn.Server) -> None:
    async with connected(port_of(patient), REQUEST) as (reader, _):
        await reader.readuntil(b"\r\n\r\n2")
        await stopped(patient)

        assert await ended(reader) == b""
