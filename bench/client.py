"""A client that costs next to nothing: one request at a time on a connection that stays open, an answer read by its length.

A client of full comfort takes more of the machine for a small request than whoever answers it.
"""

import asyncio
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager
from typing import Any, NamedTuple
from urllib.parse import urlsplit

import msgspec

_DONE = 200
_ACCEPTED = (_DONE, 202)
_BUSY = 429


class CannotMeasure(Exception):
    """A figure would mean nothing."""


class Answer(NamedTuple):
    """What came back, as it came."""

    status: int
    head: bytes
    body: bytes

    def header(self, name: bytes) -> bytes:
        """Its value, or nothing."""
        at = self.head.lower().find(b"\r\n" + name.lower() + b":")
        return self.head[at:].split(b"\r\n", 2)[1].split(b":", 1)[1].strip() if at >= 0 else b""

    def accepted(self) -> None:
        """Raises `CannotMeasure` unless it is done, or will be: whoever waits too long is told so."""
        if self.status not in _ACCEPTED:
            raise CannotMeasure(f"refused: {self}")

    def ids(self, profiles: int) -> None:
        """Raises `CannotMeasure` unless there is one id for each profile."""
        answer: Any = msgspec.json.decode(self.body) if self.status == _DONE else {}
        found = sum("profile_id" in entry for entry in answer.get("result", ()))
        if found != profiles:
            raise CannotMeasure(f"{found} ids for {profiles} profiles: {self}")

    def __str__(self) -> str:
        return f"{self.status} {self.body[:300].decode(errors='replace')}"


class Connection(asyncio.Protocol):
    """Nobody else uses it while a request is under way."""

    def __init__(self, head: bytes) -> None:
        self._head = head
        self._received = bytearray()
        self._transport: asyncio.WriteTransport
        self._answer: asyncio.Future[Answer]

    async def post(self, body: bytes) -> Answer:
        """Whoever is told to come back later does, as often as he is told."""
        while (answer := await self._posted(body)).status == _BUSY:
            await asyncio.sleep(float(answer.header(b"retry-after") or 1))
        return answer

    async def _posted(self, body: bytes) -> Answer:
        self._answer = asyncio.get_running_loop().create_future()
        self._transport.write(b"%s%d\r\n\r\n%s" % (self._head, len(body), body))
        return await self._answer

    def close(self) -> None:
        self._transport.close()

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.WriteTransport)  # noqa: S101
        self._transport = transport

    def data_received(self, data: bytes) -> None:
        self._received += data
        end = self._received.find(b"\r\n\r\n")
        if end < 0:
            return
        answer = Answer(int(self._received[9:12]), bytes(self._received[:end]), b"")
        whole = end + 4 + int(answer.header(b"content-length") or 0)
        if len(self._received) >= whole:
            self._answer.set_result(answer._replace(body=bytes(self._received[end + 4 : whole])))
            del self._received[:whole]

    def connection_lost(self, exc: Exception | None) -> None:
        if hasattr(self, "_answer") and not self._answer.done():
            self._answer.set_exception(exc or ConnectionError("the server closed the connection"))


@asynccontextmanager
async def connected(url: str, count: int, header: str = "") -> AsyncIterator[Sequence[Connection]]:
    """So many connections to where the URL says; each request has this line in its head, too."""
    address = urlsplit(url)
    host, port = address.hostname or "", address.port or 80
    lines = f"POST {address.path} HTTP/1.1\r\nHost: {address.netloc}\r\n{header}Content-Type: application/json\r\nContent-Length: "
    head = lines.encode()
    loop = asyncio.get_running_loop()
    opened = [await loop.create_connection(lambda: Connection(head), host, port) for _ in range(count)]
    connections = [protocol for _, protocol in opened]
    try:
        yield connections
    finally:
        for connection in connections:
            connection.close()
