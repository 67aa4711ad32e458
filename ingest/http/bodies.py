"""Request bodies as streams: decompressed and measured while they arrive, so that none is held which is too large."""

import asyncio
import zlib
from collections.abc import AsyncIterable, AsyncIterator

from ingest.admission.budget import Share
from ingest.request_errors import Refused, invalid, unavailable
from runtime.connections import SLOWEST
from schemas.settings import KIB, Settings

_ATTACH = b'"attach"'
_GZIP = 31
# As much is inflated before it is known whether there is room for it.
_INFLATED = 64 * KIB


def too_large() -> Refused:
    return invalid("http: request body too large")


async def read(chunks: AsyncIterable[bytes], *, gzipped: bool, settings: Settings, share: Share) -> bytearray:
    """The whole body, held as it comes; past the plain limit reading goes on only if what has come so far uses `attach`."""
    body = bytearray()
    limit = settings.body_limit
    try:
        async with asyncio.timeout(None) as slowness:
            coming = _hurried(chunks, slowness, settings.client_patience.total_seconds())
            async for chunk in _decompressed(coming, settings, share) if gzipped else coming:
                body += chunk
                if len(body) > limit and body.find(_ATTACH, 0, settings.body_limit) >= 0:
                    limit = max(settings.attach_body_limit, settings.body_limit)
                if len(body) > limit:
                    raise too_large()
                await share.grow(len(body))
    except TimeoutError:
        # Nothing is wrong with the request, and the slow one may have been us: a frozen process wakes up with its patience used up.
        raise unavailable("the body comes too slowly") from None
    return body


async def _hurried(chunks: AsyncIterable[bytes], slowness: asyncio.Timeout, patience: float) -> AsyncIterator[bytes]:
    """The same, while something comes, and at no less than `SLOWEST`; only time in which the client is waited for counts."""
    loop, coming = asyncio.get_running_loop(), aiter(chunks)
    received, waited = 0, 0.0
    while True:
        began = loop.time()
        slowness.reschedule(began + min(patience, patience + received / SLOWEST - waited))
        try:
            chunk = await anext(coming)
        except StopAsyncIteration:
            return
        slowness.reschedule(None)
        waited += loop.time() - began
        received += len(chunk)
        yield chunk


async def _decompressed(chunks: AsyncIterable[bytes], settings: Settings, share: Share) -> AsyncIterator[bytes]:
    gzip = zlib.decompressobj(_GZIP)
    received = 0
    async for chunk in chunks:
        received += len(chunk)
        # Parts that unpack to nothing could go on for ever.
        if received > max(settings.attach_body_limit, settings.body_limit):
            raise too_large()
        pending = chunk
        # In slices: a few kilobytes may blow up to gigabytes.
        while pending:
            if gzip.eof:
                gzip = zlib.decompressobj(_GZIP)
            yield _inflate(gzip, pending)
            pending = gzip.unconsumed_tail or gzip.unused_data
            if pending:
                await share.others_first()
    if not gzip.eof:
        raise invalid("the body ends in the middle of its gzip stream")


def _inflate(gzip: "zlib._Decompress", compressed: bytes) -> bytes:
    try:
        return gzip.decompress(compressed, _INFLATED)
    except zlib.error:
        raise invalid("the body is not gzip") from None
