"""One POST, and what is known after it: an answer, that nothing was sent, or that nobody knows."""

from collections.abc import Mapping
from contextlib import suppress
from datetime import UTC, datetime
from email.utils import parsedate_to_datetime
from functools import lru_cache
from types import TracebackType
from typing import NamedTuple, Self

import aiohttp

from runtime.outbound.dialing import Dialer
from runtime.outbound.heads import BoundedConnector

# Seconds for a connection, of those that the whole may take.
_CONNECT = 10.0
# Of an answer that are looked at.
_READ = 64 * 1024
_LONGEST_WAIT = 24 * 3600.0


class NotSent(Exception):
    """No connection came about, so nothing can have arrived."""


class InDoubt(Exception):
    """The request was out, and no answer came: it may have arrived."""


class Answer(NamedTuple):
    """`body` is its beginning; `retry_after` are seconds."""

    status: int
    body: bytes
    retry_after: float | None = None

    @property
    def is_good(self) -> bool:
        return 200 <= self.status < 300


class Poster:
    """Posts through connections that are kept; follows no redirect, keeps no cookie, uses no proxy."""

    def __init__(self, dialer: Dialer) -> None:
        connector = BoundedConnector(limit=0, ssl=dialer.trust, socket_factory=dialer.reach.socket, resolver=dialer.names)
        # Nothing is inflated: a small answer could become a large one.
        self._session = aiohttp.ClientSession(
            connector=connector,
            cookie_jar=aiohttp.DummyCookieJar(),
            auto_decompress=False,
            headers={"User-Agent": "Profuse", "Accept-Encoding": "identity", "Content-Type": "application/json"},
        )

    async def __aenter__(self) -> Self:
        return self

    async def __aexit__(self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None) -> None:
        await self._session.close()

    async def post(self, url: str, body: bytes, headers: Mapping[str, str], seconds: float) -> Answer:
        """Raises `NotSent` and `InDoubt`; neither quotes the address, which may hold a password."""
        try:
            # A payload, because aiohttp would look for what makes one of bytes.
            answer = await self._session.post(
                url, data=aiohttp.BytesPayload(body), headers=headers, timeout=_patience(seconds), allow_redirects=False
            )
            try:
                return Answer(answer.status, await _beginning(answer), _seconds(answer.headers.get("Retry-After")))
            finally:
                # Else the connection is kept already; of this one the rest would have to be read first.
                if not answer.content.at_eof():
                    answer.close()
        except (aiohttp.ClientConnectorError, aiohttp.ConnectionTimeoutError, aiohttp.InvalidURL) as error:
            raise NotSent(_why(error)) from error
        except (aiohttp.ClientError, TimeoutError, OSError) as error:
            raise InDoubt(_why(error)) from error


@lru_cache(maxsize=64)
def _patience(seconds: float) -> aiohttp.ClientTimeout:
    return aiohttp.ClientTimeout(total=seconds, connect=min(_CONNECT, seconds / 2))


async def _beginning(answer: aiohttp.ClientResponse) -> bytes:
    """Of its body; its status counts, whatever becomes of the rest."""
    read = bytearray()
    with suppress(TimeoutError, aiohttp.ClientError):
        while len(read) <= _READ and not answer.content.at_eof():
            read += await answer.content.readany()
    return bytes(read[:_READ])


def _seconds(given: str | None) -> float | None:
    """`Retry-After`: seconds, or a date; None where it is neither."""
    if given is None:
        return None
    if given.strip().isascii() and given.strip().isdigit():
        return min(float(given), _LONGEST_WAIT)
    try:
        at = parsedate_to_datetime(given)
    # A year or a zone beyond all numbers.
    except (ValueError, OverflowError):
        return None
    left = (at.replace(tzinfo=at.tzinfo or UTC) - datetime.now(UTC)).total_seconds()
    return min(max(left, 0.0), _LONGEST_WAIT)


def _why(error: BaseException) -> str:
    """The kind of trouble, and the system's word for it."""
    cause = error.os_error if isinstance(error, aiohttp.ClientConnectorError) else error
    return type(cause).__name__
