"""From a request to a call: its size, its JSON and its token, in this order; a Bearer token goes before the body."""

import asyncio
import hashlib
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from typing import Protocol

from starlette.datastructures import Headers
from starlette.requests import Request

from ingest.admission.backpressure import Backpressure
from ingest.admission.budget import Share
from ingest.envelope import Answer
from ingest.http import bodies, parsing, spans
from ingest.http.call import Call
from ingest.http.parsing import Members
from ingest.http.scanning import Body
from ingest.http.sparing import Sparing
from ingest.request_errors import invalid, no_access, token_required, unsupported_encoding
from ingest.sql import accounts
from ingest.sql.accounts import Token
from ingest.sql.pool import Pool
from schemas.settings import KIB, Settings
from schemas.tokens import Right

# Bytes that an element takes up until it is decoded.
_SPAN = 72
# As it is written, and longer than any that there is.
_LONGEST_TOKEN = 4 * KIB
_REQUEST_ID = ("Request-ID", "Idempotency-Key")


class Handler(Protocol):
    """What answers a call."""

    async def answer(self, call: Call) -> Answer: ...


@dataclass(frozen=True)
class Served:
    """An endpoint below the prefix, the rights that it needs, what its parameters are called, and whether `data` is one object."""

    path: str
    rights: frozenset[Right]
    handler: Handler
    names: tuple[str, ...]
    one: bool = False


@dataclass(frozen=True)
class Intake:
    """Lets requests in, and knows which are still open."""

    settings: Settings
    pool: Pool
    backpressure: Backpressure
    sparing: Sparing = field(default_factory=Sparing)
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
        bearer = _bearer(request)
        token = await self._authorize(request, bearer, served) if bearer is not None else None
        encoding = request.headers.get("content-encoding", "identity").strip().lower()
        if encoding not in ("identity", "gzip", "x-gzip", ""):
            raise unsupported_encoding()
        if _stated_size(request) > max(self.settings.body_limit, self.settings.attach_body_limit):
            raise bodies.too_large()
        with self.backpressure.holding() as share:
            # No name for the call: what was sent must not be held here for as long as the endpoint waits.
            return await served.handler.answer(await self._call(request, served, share, token, gzipped="gzip" in encoding))

    async def _call(self, request: Request, served: Served, share: Share, token: Token | None, *, gzipped: bool) -> Call:
        body = await bodies.read(request.stream(), gzipped=gzipped, settings=self.settings, share=share)
        root = await spans.opened(body, served.names, self.settings, share)
        given = _token(root)
        if token is not None and given not in (None, _bearer(request)):
            raise token_required()
        token = token or await self._authorize(request, given or "", served)
        items = await spans.items(root, self.settings, share, one=served.one)
        await share.grow(share.size + _SPAN * len(items or ()))
        request_id = _request_id(request.headers)
        body_hash = await asyncio.to_thread(_hash, body) if request_id is not None else b""
        return Call(token, served.path, root, items, request_id, body_hash, share, self.settings)

    async def _authorize(self, request: Request, given: str, served: Served) -> Token:
        token = await self.pool.together(accounts.find_tokens, given)
        if token is None:
            raise token_required()
        # From here on the answer is in the form that the token's owner chose.
        request.state.always_200 = token.always_200
        if not served.rights <= token.rights:
            raise no_access()
        return token


def wants_200(request: Request) -> bool:
    return bool(getattr(request.state, "always_200", False))


def _stated_size(request: Request) -> int:
    stated = request.headers.get("content-length", "")
    return int(stated) if stated.isdecimal() else 0


def _bearer(request: Request) -> str | None:
    scheme, _, token = request.headers.get("authorization", "").partition(" ")
    return token.strip() if scheme.lower() == "bearer" else None


def _token(root: Members) -> str | None:
    """The body's own token, if it has one."""
    raw = root.values.get("token")
    if raw is None or parsing.is_null(raw):
        return None
    if not parsing.is_text(raw) or parsing.size(raw) > _LONGEST_TOKEN or not (token := str(parsing.piece(raw).value)):
        raise token_required()
    return token


def _hash(body: Body) -> bytes:
    return hashlib.sha256(body).digest()


def _request_id(headers: Headers) -> str | None:
    """The id of a request, by either of its names: 1 to 128 visible ASCII characters."""
    found = {name: set(headers.getlist(name)) for name in _REQUEST_ID}
    for name, ids in found.items():
        if len(ids) > 1:
            raise invalid(f"{name}: given twice, with two values")
        if any(not 1 <= len(id_) <= 128 or not all("!" <= character <= "~" for character in id_) for id_ in ids):
            raise invalid(f"{name}: must be 1 to 128 visible ASCII characters")
    either = set().union(*found.values())
    if len(either) > 1:
        raise invalid(f"{' and '.join(_REQUEST_ID)} differ")
    return either.pop() if either else None
