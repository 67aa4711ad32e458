"""The HTTP framework, and only it: from requests to calls, from answers and refusals to responses."""

import asyncio
import hashlib
from collections.abc import AsyncIterator, Awaitable, Callable, Mapping, Sequence
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from itertools import islice
from typing import Protocol

import asyncpg
import structlog
from starlette.applications import Starlette
from starlette.exceptions import HTTPException
from starlette.requests import ClientDisconnect, Request
from starlette.responses import Response
from starlette.routing import Route

from ingest import accounts, bodies, parsing
from ingest.accounts import NO_ACCESS, TOKEN_REQUIRED, Token
from ingest.answers import Answer, Refused, invalid, not_found, unavailable
from ingest.budgets import Budget, Share
from ingest.calls import Call
from ingest.failing import DATABASE_AWAY
from ingest.kafka import BrokerAway
from ingest.parsing import NotJson, Piece
from schemas import metrics
from schemas.settings import Settings
from schemas.tokens import Right

log = structlog.get_logger()

PREFIX = "/api/v1.1/"
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
    """Makes calls of requests: size, JSON and token, in this order; a Bearer token goes before the body."""

    settings: Settings
    pool: asyncpg.Pool
    budget: Budget
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
        share = await self.budget.take(_expected(request, self.settings))
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


def application(door: Door, endpoints: Sequence[Served], pages: Mapping[str, Response]) -> Starlette:
    """The whole API; every path is accepted with a trailing slash too."""
    routes = [Route(path, _page(response), methods=["GET"]) for path, response in pages.items()]
    for served in endpoints:
        handler = _handler(door, served)
        routes += [Route(PREFIX + served.path + slash, handler, methods=["POST"]) for slash in ("", "/")]
    app = Starlette(routes=routes, exception_handlers={HTTPException: _not_served, Exception: _unexpected})
    app.router.redirect_slashes = False
    return app


def _handler(door: Door, served: Served) -> Callable[[Request], Awaitable[Response]]:
    async def handle(request: Request) -> Response:
        answer = await _answer(door, request, served)
        metrics.REQUESTS.labels(served.path, str(answer.status)).inc()
        return _response(answer)

    return handle


async def _answer(door: Door, request: Request, served: Served) -> Answer:
    with metrics.REQUEST_SECONDS.labels(served.path).time():
        try:
            async with door.until_closed():
                return await door.answer(request, served)
        except Refused as refused:
            return refused.answer()
        except NotJson as why:
            return invalid(str(why)).answer()
        except BrokerAway:
            return unavailable().answer()
        except ClientDisconnect:
            # Nobody reads it.
            return invalid("the body ends too early").answer()
        except DATABASE_AWAY as error:
            log.warning("database_away", path=served.path, error=type(error).__name__)
            return unavailable().answer()


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


def _response(answer: Answer) -> Response:
    return Response(answer.body(), answer.status, dict(answer.headers), "application/json")


def _page(response: Response) -> Callable[[Request], Awaitable[Response]]:
    async def show(_: Request) -> Response:
        return response

    return show


async def _not_served(_: Request, error: Exception) -> Response:
    if isinstance(error, HTTPException) and error.status_code == 405:
        return _response(Refused(405, "Method not allowed", headers=error.headers).answer())
    return _response(not_found("unknown path").answer())


async def _unexpected(_: Request, error: Exception) -> Response:
    """A fault of ours; starlette raises it again after this answer, so that it is logged with its traceback."""
    log.error("unexpected", error=type(error).__name__)
    return _response(unavailable().answer())
