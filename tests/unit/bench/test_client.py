"""The benches' client reads what servers send, in whatever pieces it comes."""

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import asynccontextmanager
from itertools import count

import pytest

from bench.client import Answer, CannotMeasure, connected
from tests.serving import serving

_OK = b'HTTP/1.1 200 OK\r\ncontent-length: 32\r\n\r\n{"result":[{"profile_id":"1f"}]}'
_LATER = b"HTTP/1.1 429 Too Many Requests\r\nRetry-After: 0\r\nContent-Length: 2\r\n\r\n{}"

Write = Callable[[asyncio.StreamWriter, int], Awaitable[None]]


@asynccontextmanager
async def answering(write: Write) -> AsyncIterator[str]:
    """A server that answers each request by its number on the connection."""

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        for number in count():
            head = await reader.readuntil(b"\r\n\r\n")
            length = int(head.lower().split(b"content-length:")[1].split(b"\r\n")[0])
            assert await reader.readexactly(length) == b"body"
            await write(writer, number)

    async with serving(serve) as port:
        yield f"http://127.0.0.1:{port}/path"


async def test_an_answer_may_come_byte_by_byte() -> None:
    async def write(writer: asyncio.StreamWriter, _: int) -> None:
        for at in range(len(_OK)):
            writer.write(_OK[at : at + 1])
            await writer.drain()

    async with answering(write) as url, connected(url, 1) as (connection,):
        answers = [await connection.post(b"body") for _ in range(2)]

    assert [answer.body for answer in answers] == [_OK[-32:]] * 2
    answers[0].ids(1)


async def test_who_is_told_to_come_later_does() -> None:
    async def write(writer: asyncio.StreamWriter, number: int) -> None:
        writer.write(_OK if number else _LATER)

    async with answering(write) as url, connected(url, 1) as (connection,):
        assert (await connection.post(b"body")).status == 200


async def test_a_connection_that_ends_is_an_error() -> None:
    async def write(writer: asyncio.StreamWriter, _: int) -> None:
        writer.write(_OK[:-1])
        writer.close()

    async with answering(write) as url, connected(url, 1) as (connection,):
        with pytest.raises(ConnectionError):
            await connection.post(b"body")


@pytest.mark.parametrize(
    "answer",
    [
        Answer(200, b"", b'{"result":[{"profile_id":"1f"},{"error":400}]}'),
        Answer(202, b"", b'{"data":{"task_id":"1f"}}'),
        Answer(503, b"", b"<html>"),
    ],
)
def test_less_than_an_id_for_each_profile_is_no_figure(answer: Answer) -> None:
    with pytest.raises(CannotMeasure):
        answer.ids(2)
