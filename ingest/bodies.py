"""Request bodies as streams: decompressed and measured while they arrive, so that none is held which is too large."""

import asyncio
import zlib
from collections.abc import AsyncIterable, AsyncIterator

from ingest.answers import Refused, invalid
from schemas.settings import MIB, Settings

_ATTACH = b'"attach"'
_GZIP = 31


def too_large() -> Refused:
    return invalid("http: request body too large")


async def read(chunks: AsyncIterable[bytes], *, gzipped: bool, settings: Settings) -> bytes:
    """The whole body; past the plain limit reading goes on only if what has come so far uses `attach`."""
    body = bytearray()
    limit = settings.body_limit
    async for chunk in _decompressed(chunks) if gzipped else chunks:
        body += chunk
        if len(body) > limit and body.find(_ATTACH, 0, settings.body_limit) >= 0:
            limit = max(settings.attach_body_limit, settings.body_limit)
        if len(body) > limit:
            raise too_large()
    return bytes(body)


async def _decompressed(chunks: AsyncIterable[bytes]) -> AsyncIterator[bytes]:
    gzip = zlib.decompressobj(_GZIP)
    async for chunk in chunks:
        pending = chunk
        # In slices: a few kilobytes may blow up to gigabytes.
        while pending:
            if gzip.eof:
                gzip = zlib.decompressobj(_GZIP)
            yield _inflate(gzip, pending)
            pending = gzip.unconsumed_tail or gzip.unused_data
            await asyncio.sleep(0)
    if not gzip.eof:
        raise invalid("the body ends in the middle of its gzip stream")


def _inflate(gzip: "zlib._Decompress", compressed: bytes) -> bytes:
    try:
        return gzip.decompress(compressed, MIB)
    except zlib.error:
        raise invalid("the body is not gzip") from None
