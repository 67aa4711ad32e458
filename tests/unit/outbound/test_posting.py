"""One POST at a real server: what is known after it."""

import asyncio
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from ipaddress import ip_network

import pytest

from runtime.outbound.heads import Answering
from runtime.outbound.posting import InDoubt, NotSent
from runtime.outbound.reach import Reach
from tests import serving as tcp
from tests.calling import poster
from tests.serving import Serve


@asynccontextmanager
async def serving(serve: Serve) -> AsyncIterator[str]:
    async with tcp.serving(serve) as port:
        yield f"http://127.0.0.1:{port}/in"


async def request(reader: asyncio.StreamReader) -> bytes:
    head = await reader.readuntil(b"\r\n\r\n")
    length = int(next(line.split(b":")[1] for line in head.lower().split(b"\r\n") if line.startswith(b"content-length:")))
    return head + await reader.readexactly(length)


def answering(raw: bytes, seen: list[bytes] | None = None) -> Serve:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            got = await request(reader)
            if seen is not None:
                seen.append(got)
            writer.write(raw)
            await writer.drain()

    return serve


@pytest.mark.promise("P-OUT-04")
@pytest.mark.parametrize(("raw", "status", "body"), [
    (b"HTTP/1.1 204 No Content\r\n\r\n", 204, b""),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok", 200, b"ok"),
    (b"HTTP/1.1 200 OK\r\nContent-Length: 5\r\nContent-Encoding: gzip\r\n\r\nwrong", 200, b"wrong"),
    (b"HTTP/1.1 500 \xff\r\nContent-Length: 0\r\n\r\n", 500, b""),
], ids=["no content", "a body", "an encoding that is none", "words that are no text"])  # fmt: skip
async def test_an_answer_is_an_answer(raw: bytes, status: int, body: bytes) -> None:
    async with serving(answering(raw)) as url, poster() as client:
        answer = await client.post(url, b"{}", {}, 5)

    assert (answer.status, answer.body) == (status, body)


@pytest.mark.promise("P-OUT-04")
async def test_its_status_counts_though_its_body_never_ends() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n")
        while True:
            writer.write(b"4000\r\n" + b"x" * 0x4000 + b"\r\n")
            await writer.drain()

    async def stalls(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        writer.write(b"HTTP/1.1 200 OK\r\nContent-Length: 10\r\n\r\nhalf")
        await reader.read()

    async with serving(serve) as endless, serving(stalls) as half, poster() as client:
        assert (await client.post(endless, b"{}", {}, 5)).is_good
        answer = await client.post(half, b"{}", {}, 0.5)
        assert answer.is_good
        assert answer.body == b"half"


_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"
_OK = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@pytest.mark.promise("P-OUT-07")
@pytest.mark.parametrize("before", [
    _CONTINUE,
    b"HTTP/1.1 103 Early\r\n" + b"a: b\r\n" * 100 + b"\r\n",
    b"HTTP/1.1 200 OK\r\n" + b"".join(b"a%d: %b\r\n" % (at, b"b" * 8_000) for at in range(100)),
], ids=["small ones", "large ones", "one that does not end"])  # fmt: skip
async def test_what_comes_before_an_answer_has_an_end(before: bytes) -> None:
    taken: list[int] = []

    async def floods(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        while True:
            writer.write(before * (256 * 1024 // len(before) + 1))
            await writer.drain()
            taken.append(1)

    async with serving(floods) as url, poster() as client:
        with pytest.raises(InDoubt, match="EndlessHeads"):
            await client.post(url, b"{}", {}, 60)

    # What the system's buffers hold, at most.
    assert len(taken) < 100


@pytest.mark.promise("P-OUT-07")
async def test_of_what_comes_before_an_answer_little_is_parsed_in_one_go(monkeypatch: pytest.MonkeyPatch) -> None:
    parsed: list[object] = []
    feed = Answering.feed_data

    def note(self: Answering, data: object, size: int = 0) -> None:
        parsed.append(data)
        feed(self, data, size)

    monkeypatch.setattr(Answering, "feed_data", note)

    async with serving(answering(_CONTINUE * 10_000)) as url, poster() as client:
        with pytest.raises(InDoubt):
            await client.post(url, b"{}", {}, 60)

    assert len(parsed) < 1_000


@pytest.mark.promise("P-OUT-07", "P-OUT-04")
async def test_an_answer_counts_after_some_that_are_none_and_whatever_comes_behind_it() -> None:
    connected: list[object] = []

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        connected.append(writer)
        await answering(_CONTINUE * 8 + _OK)(reader, writer)

    async with serving(serve) as polite, serving(answering(_OK * 10_000)) as chatty, poster() as client:
        for url in (polite, chatty):
            for _ in range(3):
                answer = await client.post(url, b"{}", {}, 5)
                assert (answer.status, answer.body) == (200, b"ok")

    assert len(connected) == 1


@pytest.mark.promise("P-OUT-07")
@pytest.mark.parametrize("said", [_CONTINUE, _OK])
async def test_a_connection_that_rests_and_is_talked_to_without_an_end_is_closed(said: bytes) -> None:
    rests, ended = asyncio.Event(), asyncio.Event()

    async def babbles(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await request(reader)
        writer.write(_OK)
        await rests.wait()
        try:
            while True:
                writer.write(said)
                await writer.drain()
                await asyncio.sleep(0)
        finally:
            ended.set()

    async with serving(babbles) as url, poster() as client:
        await client.post(url, b"{}", {}, 5)
        rests.set()
        async with asyncio.timeout(10):
            await ended.wait()


@pytest.mark.promise("P-OUT-05")
async def test_it_is_told_whether_anything_can_have_arrived() -> None:
    async def hangs(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await request(reader)
        await reader.read()

    async def breaks(reader: asyncio.StreamReader, _: asyncio.StreamWriter) -> None:
        await request(reader)

    async with serving(hangs) as slow, serving(breaks) as broken, serving(answering(b"nonsense\r\n\r\n")) as odd, poster() as client:
        for url in (slow, broken, odd):
            with pytest.raises(InDoubt):
                await client.post(url, b"{}", {}, 0.5)
        closed = slow
    async with poster() as client:
        for url in (closed, "http://no-such-host.invalid/", "https" + closed.removeprefix("http"), "http://127.0.0.1:99999/", "http://[/"):
            with pytest.raises(NotSent):
                await client.post(url, b"{}", {}, 5)


@pytest.mark.promise("P-OUT-03")
@pytest.mark.parametrize("name", ["127.0.0.1", "localhost", "[::ffff:127.0.0.1]"])
async def test_a_denied_address_is_not_called_whatever_name_it_has(name: str) -> None:
    seen: list[bytes] = []
    denying = Reach(denied=(ip_network("127.0.0.0/8"), ip_network("::1/128")))

    async with serving(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", seen)) as url, poster(denying) as client:
        with pytest.raises(NotSent):
            await client.post(url.replace("127.0.0.1", name), b"{}", {}, 5)

    assert not seen


@pytest.mark.promise("P-OUT-03")
async def test_a_redirect_is_an_answer_and_is_not_followed() -> None:
    seen: list[bytes] = []
    async with serving(answering(b"HTTP/1.1 200 OK\r\nContent-Length: 0\r\n\r\n", seen)) as inner:
        moved = b"HTTP/1.1 307 Temporary Redirect\r\nLocation: %b\r\nContent-Length: 0\r\n\r\n" % inner.encode()
        async with serving(answering(moved)) as url, poster() as client:
            assert (await client.post(url, b"{}", {}, 5)).status == 307

    assert not seen


@pytest.mark.promise("P-OUT-04")
@pytest.mark.parametrize(("given", "least", "most"), [
    ("7", 7, 7),
    ("in ten minutes", 500, 600),
    ("Wed, 21 Oct 2015 07:28:00 GMT", 0, 0),
    ("9" * 400, 86_400, 86_400),
], ids=["seconds", "a date", "a date that is over", "too long"])  # fmt: skip
async def test_when_to_come_again(given: str, least: float, most: float) -> None:
    said = format_datetime(datetime.now(UTC) + timedelta(minutes=10), usegmt=True) if given == "in ten minutes" else given
    raw = f"HTTP/1.1 429 Too Many Requests\r\nRetry-After: {said}\r\nContent-Length: 0\r\n\r\n".encode()
    async with serving(answering(raw)) as url, poster() as client:
        answer = await client.post(url, b"{}", {}, 5)

    assert answer.retry_after is not None
    assert least <= answer.retry_after <= most


@pytest.mark.parametrize(
    "given", ["soon", "-1", "1.5", "²", "", f"Mon, 01 Jan 2024 00:00:00 +{9**20}", f"Mon, 01 Jan {9**20} 00:00:00 GMT"]
)
async def test_nonsense_says_nothing_of_when(given: str) -> None:
    raw = f"HTTP/1.1 503 No\r\nRetry-After: {given}\r\nContent-Length: 0\r\n\r\n".encode()
    async with serving(answering(raw)) as url, poster() as client:
        assert (await client.post(url, b"{}", {}, 5)).retry_after is None
