"""Large mails on their way: to servers that are slow, or take nothing."""

import asyncio
import resource
import sys
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field

import aiosmtplib
import pytest

from schemas.settings import MIB
from tests.standing import watched
from workers.launcher.channels.email import blocks, enclosing

pytestmark = pytest.mark.promise("P-LAUNCH-24")

# Longest that the loop may stand, in seconds.
STILL = 0.1


@dataclass
class Gulping:
    """A mail server that takes up to `gulp` bytes at a time, with a rest after each; of 0 it takes no more when a mail has begun."""

    gulp: int
    rest: float = 0.0
    taken: int = 0
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    over: asyncio.Event = field(default_factory=asyncio.Event)

    async def session(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"220 here\r\n")
        while line := await reader.readline():
            if not line.startswith(b"DATA"):
                writer.write(b"250 go on\r\n")
                continue
            writer.write(b"354 go on\r\n")
            self.begun.set()
            if not self.gulp:
                await self.over.wait()
                break
            await self._content(reader)
            writer.write(b"250 taken\r\n")
        writer.close()

    async def _content(self, reader: asyncio.StreamReader) -> None:
        end = b""
        while not end.endswith(b"\r\n.\r\n"):
            got = await reader.read(self.gulp)
            self.taken += len(got)
            end = (end + got)[-5:]
            await asyncio.sleep(self.rest)

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[aiosmtplib.SMTP]:
        server = await asyncio.start_server(self.session, "127.0.0.1", 0, limit=64 * 1024)
        connection = aiosmtplib.SMTP(hostname="127.0.0.1", port=server.sockets[0].getsockname()[1])
        await connection.connect()
        yield connection
        connection.close()
        self.over.set()
        server.close()
        for _ in range(5):
            await asyncio.sleep(0)


async def send(connection: aiosmtplib.SMTP, pieces: list[bytes], patience: float) -> int:
    await connection.mail("a@example.com")
    await connection.rcpt("b@example.com")
    await connection.execute_command(b"DATA")
    rest = await blocks.write(connection, pieces, patience)
    return (await blocks.end(connection, rest + b".\r\n", 60)).code


async def test_a_hundred_megabytes_arrive_without_a_copy_and_nobody_waits() -> None:
    server = Gulping(MIB)
    pieces = [enclosing.encoded(bytes(enclosing.SLICE))] * 20
    size = sum(map(len, pieces))
    before = peak()

    async with server.connection() as connection, watched() as stood:
        codes = [await send(connection, pieces, 60) for _ in range(3)]

    assert (codes, server.taken) == ([250] * 3, 3 * (size + len(b".\r\n")))
    assert peak() - before < size / 4
    assert max(stood) < STILL


async def test_a_slow_server_may_take_longer_than_its_patience_for_each_block() -> None:
    server = Gulping(128 * 1024, rest=0.02)
    pieces = [enclosing.encoded(bytes(enclosing.SLICE))] * 3

    async with server.connection() as connection, asyncio.timeout(60):
        started = asyncio.get_running_loop().time()
        assert await send(connection, pieces, 1.0) == 250

    assert asyncio.get_running_loop().time() - started > 1.0


async def test_a_server_that_takes_nothing_is_given_up_with_its_connection() -> None:
    async with Gulping(0).connection() as connection:
        with pytest.raises(TimeoutError):
            await send(connection, [bytes(20 * MIB)], 0.2)
        async with asyncio.timeout(20):
            while connection.transport is not None:
                await asyncio.sleep(0)


async def test_a_connection_that_breaks_is_an_error() -> None:
    server = Gulping(0)
    async with server.connection() as connection:
        sending = asyncio.create_task(send(connection, [bytes(20 * MIB)], 60))
        await server.begun.wait()
        server.over.set()

        with pytest.raises((OSError, aiosmtplib.SMTPException)):
            await sending


def peak() -> int:
    """The most bytes that this process has had."""
    return resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * (1 if sys.platform == "darwin" else 1024)
