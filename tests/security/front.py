"""TLS in front of a real Postgres, as a pooler has it: the local Postgres is built without TLS."""

import asyncio
import ssl
import threading
from collections.abc import Iterator
from contextlib import contextmanager
from urllib.parse import urlsplit

_SSL_REQUEST = b"\x00\x00\x00\x08\x04\xd2\x16\x2f"
_REFUSAL = b"SFATAL\0C28000\0Mno encryption is not admitted here\0\0"


@contextmanager
def front(postgres: str, context: ssl.SSLContext) -> Iterator[int]:
    """The port at which the server is reached by TLS, and by nothing else."""
    address = urlsplit(postgres)
    loop = asyncio.new_event_loop()

    async def admit(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        if await reader.read(len(_SSL_REQUEST)) != _SSL_REQUEST:
            writer.write(b"E" + (len(_REFUSAL) + 4).to_bytes(4, "big") + _REFUSAL)
            writer.close()
            return
        writer.write(b"S")
        try:
            await writer.start_tls(context)
        except OSError:
            # The client does not trust us, which is what the test wants to see at its end.
            return
        behind = await asyncio.open_connection(address.hostname, address.port)
        await asyncio.gather(_pipe(reader, behind[1]), _pipe(behind[0], writer))

    server = loop.run_until_complete(asyncio.start_server(admit, "127.0.0.1", 0))
    port = server.sockets[0].getsockname()[1]
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    try:
        yield port
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        _end(loop, server)


async def _pipe(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    try:
        while data := await reader.read(65_536):
            writer.write(data)
            await writer.drain()
    except OSError:
        pass
    finally:
        writer.close()


def _end(loop: asyncio.AbstractEventLoop, server: asyncio.Server) -> None:
    server.close()
    loop.run_until_complete(_cancelled(asyncio.all_tasks(loop)))
    loop.close()


async def _cancelled(tasks: set[asyncio.Task[None]]) -> None:
    for task in tasks:
        task.cancel()
    await asyncio.gather(*tasks, return_exceptions=True)
