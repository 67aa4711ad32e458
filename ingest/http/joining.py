"""One write for a head and its body."""

import asyncio
from collections.abc import Callable
from typing import Any


class Joining:
    """A transport that sends what is written in one turn of the loop at once: each write of its own wakes the client."""

    def __init__(self, transport: asyncio.Transport, soon: Callable[[Callable[[], None]], Any]) -> None:
        self._transport = transport
        self._soon = soon
        self._written: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        if not self._written:
            self._soon(self._flush)
        self._written.append(data)

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        if self._written:
            written, self._written = self._written, []
            self._transport.write(b"".join(written))
