"""What channels send to: a mail server and a provider, which do with each launch what its id says."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from email import message_from_bytes, policy

from tests.serving import serving


@dataclass
class Destination:
    """Refuses a launch whose id begins with `no` for good, with `later` for now, and leaves one with `break` without an answer."""

    port: int = 0
    # Ids, in the order of their attempts.
    tried: list[str] = field(default_factory=list)
    taken: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)
    heads: list[dict[str, str]] = field(default_factory=list)

    @asynccontextmanager
    async def open(self) -> AsyncIterator[None]:
        async with serving(self.serve, self.port) as self.port:
            yield

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        raise NotImplementedError

    def answers(self, id_: str, yes: bytes, no: bytes, later: bytes) -> bytes | None:
        self.tried.append(id_)
        word = id_.partition("-")[0]
        if word == "break":
            return None
        if word in ("no", "later"):
            return {"no": no, "later": later}[word]
        self.taken.append(id_)
        return yes


class MailServer(Destination):
    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        while line := await reader.readline():
            if line.split()[:1] != [b"DATA"]:
                writer.write(b"250 go on\r\n")
                continue
            writer.write(b"354 go on\r\n")
            content = await reader.readuntil(b"\r\n.\r\n")
            self.bodies.append(content)
            mail = message_from_bytes(content, policy=policy.SMTP)
            self.heads.append(dict(mail.items()))
            id_ = str(mail["Message-ID"]).strip("<>").partition("@")[0]
            answer = self.answers(id_, b"250 taken\r\n", b"554 not this one\r\n", b"451 not now\r\n")
            if answer is None:
                return
            writer.write(answer)


class HttpProvider(Destination):
    # How the next request is answered, whatever its id says.
    raw: bytes | None = None

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().split("\r\n")[1:-2]
            headers = {name.lower(): value.strip() for name, _, value in (line.partition(":") for line in head)}
            body = await reader.readexactly(int(headers["content-length"]))
            self.heads.append(headers)
            self.bodies.append(body)
            yes, no, later = (b"HTTP/1.1 %b\r\nContent-Length: 0\r\n\r\n" % each for each in (b"202 Taken", b"422 No", b"500 Oh"))
            answer = self.answers(headers["webhook-id"], yes, no, later)
            if answer is None:
                return
            writer.write(self.raw or answer)

    def told(self) -> list[dict[str, object]]:
        return [json.loads(body)["data"] for body in self.bodies]
