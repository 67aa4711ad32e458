"""What a connection may cost before and after its requests: heads that end, clients that read, and not too many of both."""

import asyncio
from http import HTTPStatus
from typing import Any

import httptools
from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol, RequestResponseCycle

from runtime.joining import Joining
from schemas.settings import KIB

# Bytes a second that a client is to send or to read at least.
SLOWEST = 16 * KIB
# Of a head; and of what comes behind a body, which is nobody's.
_HEAD_LIMIT = 32 * KIB
# Requests that are sent before those in front of them are answered.
_PIPELINED = 16
_FORGOTTEN_AFTER = 60.0


class TooManyAtOnce(Exception):
    """So many requests wait on one connection that no more are taken from it."""


class Connection(HttpToolsProtocol):
    """One client's connection; the server alone has no bound on heads, nor on what it discards, nor on what waits in line."""

    most = 100
    # Seconds, for a head, and with it for a body that is bounded by nobody else.
    patience = 10.0
    bounds_bodies = True
    # Seconds that are waited for a last request when the server stops.
    lingers = 0.0

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._in_head = True
        # Bytes since the last that belonged to a body.
        self._beside = 0
        self._limit: asyncio.TimerHandle | None = None
        self._unread: asyncio.TimerHandle | None = None
        # The head of a request has begun, and not ended.
        self._begun = False
        # The server stops.
        self._last = False
        # Whose answer is next, or was last.
        self._answering: RequestResponseCycle | None = None
        # What else comes is not looked at.
        self._deaf = False
        # Its last answer, or its beginning.
        self.since = 0.0

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(Joining(transport, self.loop.call_soon))  # type: ignore[arg-type]
        self.since = self.loop.time()
        if len(self.connections) > self.most and not self.makes_room():
            self.connections.discard(self)
            self._end(HTTPStatus.SERVICE_UNAVAILABLE)
        else:
            self._close_after(self.patience)

    def makes_room(self) -> bool:
        """Whether there is room for it: who has asked for nothing yet, or was answered, goes before whoever comes, such as a probe."""
        idle = [each for each in self.connections if each is not self and isinstance(each, Connection) and each.is_idle]
        if idle:
            longest = min(idle, key=lambda each: each.since)
            self.connections.discard(longest)
            longest.transport.abort()
        return bool(idle)

    def connection_lost(self, exc: Exception | None) -> None:
        self._go_on()
        self._forget_unread()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._deaf:
            return
        self._unset_keepalive_if_required()
        self._beside += len(data)
        try:
            self.parser.feed_data(data)
        except httptools.HttpParserUpgrade as offered:
            self._decline(data[offered.args[0] :])
        except httptools.HttpParserError:
            self._end(HTTPStatus.BAD_REQUEST)
        # A header that does not end is not reported to anybody.
        if self._beside > _HEAD_LIMIT and not self._deaf:
            self._end(HTTPStatus.REQUEST_HEADER_FIELDS_TOO_LARGE)
        if self.is_idle and self._limit is None and self.timeout_keep_alive_task is None:
            # What came was no request.
            self.timeout_keep_alive_task = self.loop.call_later(self.timeout_keep_alive, self.timeout_keep_alive_handler)

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._begun = True
        if self.is_idle:
            self._close_after(self.patience)

    def on_header(self, name: bytes, value: bytes) -> None:
        if self._in_head:
            super().on_header(name, value)

    def on_headers_complete(self) -> None:
        if self.parser.should_upgrade():
            return
        if not self.bounds_bodies:
            self._go_on()
        if len(self.pipeline) >= _PIPELINED:
            raise TooManyAtOnce
        super().on_headers_complete()
        self._in_head, self._begun, self._beside = False, False, 0
        if self._last:
            self.cycle.keep_alive = False

    def on_body(self, body: bytes) -> None:
        self._beside = 0
        super().on_body(body)

    def on_message_complete(self) -> None:
        if self.parser.should_upgrade():
            return
        self._in_head, self._beside = True, 0
        # What was left of a refused body has come.
        self._go_on()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        self.since = self.loop.time()
        if self.transport.is_closing():
            # A client that does not read its answer would keep us from closing.
            self._until_read()
        elif (self.is_idle or self.bounds_bodies) and (self.cycle.more_body or self._begun):
            # The rest of a refused body is discarded, for as long as a client may need to see its answer; a head that is begun is to end.
            self._close_after(self.patience)

    def pause_writing(self) -> None:
        super().pause_writing()
        self._until_read()

    def resume_writing(self) -> None:
        self._forget_unread()
        super().resume_writing()

    def shutdown(self) -> None:
        """The server stops: a request that is already on its way here is answered, and the client told that it was the last."""
        self._last = True
        if self.cycle is not None:
            self.cycle.keep_alive = False
        if self.lingers:
            self.loop.call_later(self.lingers, self._leave)
        else:
            self._leave()

    def timeout_keep_alive_handler(self) -> None:
        self.transport.abort()

    @property
    def is_idle(self) -> bool:
        return self.cycle is None or self.cycle.response_complete

    def _start_asgi_task(self, cycle: RequestResponseCycle, app: Any) -> None:
        self._answering = cycle
        super()._start_asgi_task(cycle, app)

    def _leave(self) -> None:
        if self.is_idle and not (self._begun and self.lingers):
            self.transport.close()

    def _close_after(self, seconds: float) -> None:
        if self._limit is None:
            self._limit = self.loop.call_later(seconds, self.transport.abort)

    def _go_on(self) -> None:
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None

    def _until_read(self, before: int | None = None) -> None:
        """Look now and then whether a client reads what was written, at no less than `SLOWEST`; `before`: bytes at the last look."""
        left = self.transport.get_write_buffer_size()
        self._forget_unread()
        if before is not None and before - left < SLOWEST * _FORGOTTEN_AFTER:
            self.transport.abort()
        else:
            self._unread = self.loop.call_later(_FORGOTTEN_AFTER, self._until_read, left)

    def _forget_unread(self) -> None:
        if self._unread is not None:
            self._unread.cancel()
            self._unread = None

    def _decline(self, rest: bytes) -> None:
        """Read a head again without its offer of another protocol, for which the parser takes all that follows (RFC 9110, 7.8)."""
        method, version = self.parser.get_method(), self.parser.get_http_version().encode()
        if method == b"CONNECT":
            return self._end(HTTPStatus.METHOD_NOT_ALLOWED)
        lines = [b"%s %s HTTP/%s" % (method, self.url, version)]
        lines += [b"%s: %s" % header for header in self.headers if header[0] != b"upgrade"]
        self.parser = httptools.HttpRequestParser(self)
        self._beside = 0
        return self.data_received(b"\r\n".join([*lines, b"", rest]))

    def _end(self, status: HTTPStatus) -> None:
        """Answer what nobody has seen, and close; where requests before it have no answer yet they get theirs, and it gets none."""
        self._deaf = True
        # Its body never comes to its end.
        broken = None if self._in_head else self.cycle
        if broken is not None and self.pipeline:
            self.pipeline.popleft()
        before = self.pipeline[0][0] if self.pipeline else self._answering
        if before is not None and before is not broken and not before.response_complete:
            before.keep_alive = False
            return
        if broken is None or not broken.response_started:
            self.transport.write(self.refusal(status))
        self.transport.close()

    def refusal(self, status: HTTPStatus) -> bytes:
        """What is written of what no route has seen."""
        return b"HTTP/1.1 %d %s\r\nconnection: close\r\ncontent-length: 0\r\n\r\n" % (status, status.phrase.encode())


class Trusted(Connection):
    """Of somebody of ours, who may keep as many as he likes."""

    most = 10_000
