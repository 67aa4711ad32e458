"""A real HTTP server that keeps what is posted to it, and answers as a test wants."""

import asyncio
import json
from collections import defaultdict
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Any

from tests.serving import serving

Json = dict[str, Any]
GOOD = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n\r\nok"


@dataclass(frozen=True)
class Got:
    """One POST."""

    path: str
    headers: Mapping[str, str]
    body: bytes

    @property
    def id(self) -> str:
        return self.headers["webhook-id"]

    @property
    def events(self) -> list[Json]:
        events: list[Json] = json.loads(self.body)
        return events

    @property
    def items(self) -> list[int]:
        return [event["event_data"]["item"] for event in self.events]


Answering = Callable[[Got], Awaitable[bytes | None]]


def answer(status: int, *headers: str, body: bytes = b"") -> bytes:
    lines = [f"HTTP/1.1 {status} Any", f"Content-Length: {len(body)}", *headers]
    return "\r\n".join([*lines, "", ""]).encode() + body


async def good(_: Got) -> bytes:
    return GOOD


@dataclass
class Receiver:
    """What came, by path, and how each path answers: raw bytes, or None to break the connection."""

    port: int = 0
    got: defaultdict[str, list[Got]] = field(default_factory=lambda: defaultdict(list))
    answering: dict[str, Answering] = field(default_factory=dict)

    def url(self, path: str) -> str:
        return f"http://127.0.0.1:{self.port}/{path}"

    def items(self, path: str) -> list[int]:
        """In the order in which they came, without repeats of a batch."""
        batches = {got.id: got.items for got in self.got[path]}
        return [item for items in batches.values() for item in items]

    def always(self, path: str, raw: bytes | None) -> None:
        async def same(_: Got) -> bytes | None:
            return raw

        self.answering[path] = same

    def first(self, path: str, *raws: bytes | None, then: bytes = GOOD) -> None:
        """These answers one after the other, then the last one for ever."""
        left = list(raws)

        async def next_(_: Got) -> bytes | None:
            return left.pop(0) if left else then

        self.answering[path] = next_

    def hang(self, path: str) -> None:
        async def never(_: Got) -> bytes | None:
            return await asyncio.Future()

        self.answering[path] = never

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            got = await _request(reader)
            path = got.path.removeprefix("/")
            self.got[path].append(got)
            raw = await self.answering.get(path, good)(got)
            if raw is None:
                return
            writer.write(raw)
            await writer.drain()


@asynccontextmanager
async def receiving() -> AsyncIterator[Receiver]:
    receiver = Receiver()
    async with serving(receiver.serve) as receiver.port:
        yield receiver


async def _request(reader: asyncio.StreamReader) -> Got:
    head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")
    headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head[1:] if line)}
    return Got(head[0].split(" ")[1], headers, await reader.readexactly(int(headers["content-length"])))
