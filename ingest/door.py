"""From a request to a call: its size, its JSON and its token, in this order; a Bearer token goes before the body."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Protocol

from starlette.requests import Request

from ingest import accounts, bodies, parsing
from ingest.accounts import NO_ACCESS, TOKEN_REQUIRED, Token
from ingest.answers import Answer, Refused
from ingest.backpressure import Backpressure
from ingest.budgets import Share
from ingest.calls import Call
from ingest.parsing import Piece
from ingest.postgres import Pool
from schemas.settings import Settings
from schemas.tokens import Right

_SLICE = 500


class Endpoint(Protocol):
    """What answers a call."""

    async def answer(self, call: Call) -> Answer: ...


@dataclass(frozen=True)
class Served:
    """An endpoint below the prefix, and the rights that it needs."""

    path: str
    rights: frozenset[Right]
    endpoint: Endpoint


@dataclass(frozen=True)
class Door:
    """Lets requests in, and knows which are still open."""

    settings: Settings
    pool: Pool
    backpressure: Backpressure
    _open: set[asyncio.Timeout] = field(default_factory=set)

    @asynccontextmanager
    async def until_closed(self) -> AsyncIterator[None]:
        """Raises `TimeoutError` for a request that is still open when the gateway must go."""
        async with asyncio.timeout(None) as limit:
            self._open.add(limit)
            try:
                yield
            finally:
                self._open.discard(limit)

    def close(self) -> None:
        for limit in self._open:
            limit.reschedule(asyncio.get_running_loop().time())

    async def answer(self, request: Request, served: Served) -> Answer:
        encoding = request.headers.get("content-encoding", "identity").strip().lower()
        if encoding not in ("identity", "gzip", "x-gzip", ""):
            raise Refused(415, "Unsupported content encoding", "Content-Encoding: only gzip")
        bearer = _bearer(request)
        if bearer is not None:
            await self._authorize(bearer, served)
        share = await self.backpressure.reserve(_expected(request, self.settings))
        try:
            return await served.endpoint.answer(await self._call(request, served, share, gzipped="gzip" in encoding))
        finally:
            share.release()

    async def _call(self, request: Request, served: Served, share: Share, *, gzipped: bool) -> Call:
        body = await bodies.read(request.stream(), gzipped=gzipped, settings=self.settings)
        share.grow(len(body))
        root, items = await _parsed(body, self.settings)
        token = await self._authorize(_token(root, _bearer(request)), served)
        request_id = request.headers.get("request-id")
        body_hash = hashlib.sha256(body).digest() if request_id is not None else b""
        return Call(token, served.path, root, items, request_id, body_hash, share)

    async def _authorize(self, given: str, served: Served) -> Token:
        async with self.pool.acquire() as connection:
            token = await accounts.find_token(connection, given)
        if token is None:
            raise TOKEN_REQUIRED
        if not served.rights <= token.rights:
            raise NO_ACCESS
        return token


async def _parsed(body: bytes, settings: Settings) -> tuple[dict[str, Piece], list[Piece] | None]:
    """The root's values and the elements of `data`, with a turn for others in between."""
    raw = parsing.split(body)
    outside = len(body) - (len(memoryview(raw["attach"])) if "attach" in raw else 0)
    if outside > settings.body_limit:
        raise bodies.too_large()
    elements = parsing.elements(raw["data"]) if "data" in raw else None
    if elements is None:
        return {name: parsing.piece(value, level=2) for name, value in raw.items()}, None
    del raw["data"]
    root = {name: parsing.piece(value, level=2) for name, value in raw.items()}
    items: list[Piece] = []
    remaining = iter(elements)
    while part := list(islice(remaining, _SLICE)):
        items += [parsing.piece(element, level=3) for element in part]
        await asyncio.sleep(0)
    return root, items


def _expected(request: Request, settings: Settings) -> int:
    """Bytes to reserve; what is certainly too large is not read at all."""
    stated = request.headers.get("content-length", "")
    length = int(stated) if stated.isdecimal() else settings.body_limit
    if length > max(settings.body_limit, settings.attach_body_limit):
        raise bodies.too_large()
    return length


def _bearer(request: Request) -> str | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _token(root: Mapping[str, Piece], bearer: str | None) -> str:
    """The one token of a request; two that differ are none."""
    given = root["token"].value if "token" in root else bearer
    if not isinstance(given, str) or not given or bearer not in (None, given):
        raise TOKEN_REQUIRED
    return given
