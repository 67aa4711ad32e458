"""The bytes of a mail on their way to its server, as fast as that takes them."""

import asyncio
from collections.abc import Awaitable, Sequence

import aiosmtplib
from aiosmtplib.protocol import SMTPProtocol

# Bytes that are handed to the transport at a time, so that a connection never holds a copy of more.
_BLOCK = 256 * 1024


async def write(connection: aiosmtplib.SMTP, pieces: Sequence[bytes], patience: float) -> bytes:
    """Returns when the transport has let go of all but the last block, however large; and that, which is for `end`.

    The server may take `patience` seconds for each block. Raises an `OSError` or `SMTPException` when the connection broke, or the
    server took nothing for so long.
    """
    *pieces, last = pieces
    if len(last) > _BLOCK:
        pieces, last = [*pieces, last], b""
    if not pieces:
        # Most mails: they need no bounds.
        return last
    protocol = _protocol(connection)
    if not isinstance(transport := protocol.transport, asyncio.WriteTransport):
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
    return last


def end(connection: aiosmtplib.SMTP, last: bytes, patience: float) -> Awaitable[aiosmtplib.SMTPResponse]:
    """What the server says when it has all; it may take so many seconds. Raises `SMTPServerDisconnected` where nothing was written."""
    protocol = _protocol(connection)
    protocol.write(last)
    return protocol.read_response(patience)


def _protocol(connection: aiosmtplib.SMTP) -> SMTPProtocol:
    if connection.protocol is None:
        raise aiosmtplib.SMTPServerDisconnected("Connection lost")
    return connection.protocol
