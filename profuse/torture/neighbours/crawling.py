"""Clients that are too slow: a request a byte at a time, and an answer that nobody reads."""

import asyncio

_HEAD = b"POST /api/v1.1/campaigns/triggers/import_and_start_batch HTTP/1.1\r\nHost: x\r\nContent-Length: 1000000\r\n\r\n{"
_EVERY = 0.5


async def crawl(host: str, port: int, stop: asyncio.Event) -> None:
    """One connection after the other, each for as long as it is borne."""
    while not stop.is_set():
        try:
            reader, writer = await asyncio.open_connection(host, port)
            await _dribble(reader, writer, stop)
        except OSError:
            await asyncio.sleep(_EVERY)


async def _dribble(reader: asyncio.StreamReader, writer: asyncio.StreamWriter, stop: asyncio.Event) -> None:
    try:
        for byte in _HEAD + b" " * 1_000:
            if stop.is_set() or reader.at_eof():
                return
            writer.write(bytes([byte]))
            await writer.drain()
            await asyncio.sleep(_EVERY)
    finally:
        writer.close()
