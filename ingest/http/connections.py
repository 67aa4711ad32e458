"""What a connection may cost before and after its requests: heads that end, clients that read, and not too many of both."""

import asyncio
from typing import Any

from uvicorn.protocols.http.httptools_impl import HttpToolsProtocol

from ingest.envelope import Answer
from ingest.errors import Refused, invalid, unavailable
from ingest.http.joining import Joining
from schemas.settings import KIB, Settings

_HEAD_LIMIT = 32 * KIB
_FORGOTTEN_AFTER = 60.0
# Longer than a busy client pauses between two requests.
_LAST_REQUEST_WITHIN = 1.0


class Connection(HttpToolsProtocol):
    """One client's connection; the server alone has no bound on heads, nor on what it discards."""

    most: int
    patience: float

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._in_head = True
        self._head_size = 0
        self._limit: asyncio.TimerHandle | None = None
        # The head of a request has begun, and not ended.
        self._begun = False
        # The server stops.
        self._last = False

    def connection_made(self, transport: asyncio.Transport) -> None:  # type: ignore[override]
        super().connection_made(Joining(transport, self.loop.call_soon))  # type: ignore[arg-type]
        if len(self.connections) > self.most:
            self.connections.discard(self)
            self._end(unavailable().answer())
        else:
            self._close_after(self.patience)

    def connection_lost(self, exc: Exception | None) -> None:
        self._go_on()
        super().connection_lost(exc)

    def data_received(self, data: bytes) -> None:
        if self._in_head:
            self._head_size += len(data)
        super().data_received(data)
        # A header that does not end is not reported to anybody.
        if self._in_head and self._head_size > _HEAD_LIMIT and not self.transport.is_closing():
            self._end(Refused(431, "Request header fields too large").answer())

    def on_message_begin(self) -> None:
        super().on_message_begin()
        self._begun = True
        self._close_after(self.patience)

    def on_headers_complete(self) -> None:
        self._in_head, self._begun = False, False
        self._go_on()
        super().on_headers_complete()
        if self._last:
            self.cycle.keep_alive = False

    def on_message_complete(self) -> None:
        self._in_head, self._head_size = True, 0
        # What was left of a refused body has come.
        self._go_on()
        super().on_message_complete()

    def on_response_complete(self) -> None:
        super().on_response_complete()
        if self.transport.is_closing():
            # A client that does not read its answer would keep us from closing.
            self.loop.call_later(_FORGOTTEN_AFTER, self.transport.abort)
        elif self.cycle.response_complete and self.cycle.more_body:
            # The rest of a refused body is discarded, for as long as a client may need to see its answer.
            self._close_after(self.patience)

    def shutdown(self) -> None:
        """The server stops: a request that is already on its way here is answered, and the client told that it was the last."""
        self._last = True
        if self.cycle is not None:
            self.cycle.keep_alive = False
        self.loop.call_later(_LAST_REQUEST_WITHIN, self._leave)

    def timeout_keep_alive_handler(self) -> None:
        self.transport.abort()

    def send_400_response(self, msg: str) -> None:
        self._end(invalid("no HTTP/1.1").answer())

    def _leave(self) -> None:
        answering = self.cycle is not None and not self.cycle.response_complete
        if not (answering or self._begun):
            self.transport.close()

    def _close_after(self, seconds: float) -> None:
        if self._limit is None:
            self._limit = self.loop.call_later(seconds, self.transport.abort)

    def _go_on(self) -> None:
        if self._limit is not None:
            self._limit.cancel()
            self._limit = None

    def _end(self, answer: Answer) -> None:
        """Answer a request that nobody has seen."""
        body = answer.body()
        headers = {"content-type": "application/json", "content-length": str(len(body)), "connection": "close", **answer.headers}
        lines = [f"HTTP/1.1 {answer.status} {answer.fields['error_text']}", *(f"{name}: {value}" for name, value in headers.items())]
        self.transport.write("\r\n".join([*lines, "", ""]).encode() + body)
        self.transport.close()


def bounded(settings: Settings) -> type[Connection]:
    class Bounded(Connection):
        most = settings.connections_limit
        patience = settings.client_patience.total_seconds()

    return Bounded
