"""The bytes of a mail on their way to its server, as fast as that takes them."""

import asyncio
from collections.abc import Iterable

import aiosmtplib

# Bytes that are handed to the transport at a time, so that a connection never holds a copy of more.
_BLOCK = 256 * 1024


async def write(connection: aiosmtplib.SMTP, pieces: Iterable[bytes], patience: float) -> None:
    """Returns when the transport has let go of all of it, however large; the server may take `patience` seconds for each block.

    Raises an `OSError` or `SMTPException` when the connection broke or the server took nothing for so long.
    """
    protocol = connection.protocol
    if protocol is None or not isinstance(transport := protocol.transport, asyncio.WriteTransport):
        raise aiosmtplib.SMTPServerDisconnected("Connection lost")
    # It asks for a pause whenever it holds something, and for more when it holds nothing.
    transport.set_write_buffer_limits(high=1, low=0)
    try:
        for piece in pieces:
            for start in range(0, len(piece), _BLOCK):
                protocol.write(piece[start : start + _BLOCK])
                async with asyncio.timeout(patience):
                    await protocol._drain_helper()  # noqa: SLF001  # asyncio's own way to hear of it, and no other is offered
    except BaseException:
        # One that is closed would keep what it holds for as long as the server takes nothing.
        transport.abort()
        raise
