"""One write for an answer's head and its body: each write is a packet of its own, and wakes the client."""

import asyncio
from collections.abc import Callable
from typing import Any

from schemas.settings import KIB

# What is longer is not copied.
_SHORT = 64 * KIB


class Joining:
    """A transport that sends what is written in one turn of the loop at its end."""

    def __init__(self, transport: asyncio.Transport, at_the_end: Callable[[Callable[[], None]], object]) -> None:
        self._transport = transport
        self._at_the_end = at_the_end
        self._written: list[bytes] = []

    def __getattr__(self, name: str) -> Any:
        return getattr(self._transport, name)

    def write(self, data: bytes) -> None:
        if not self._written:
            self._at_the_end(self._flush)
        self._written.append(data)
        if len(data) > _SHORT:
            self._flush()

    def close(self) -> None:
        self._flush()
        self._transport.close()

    def _flush(self) -> None:
        written, self._written = self._written, []
        if sum(map(len, written)) <= _SHORT:
            written = [b"".join(written)]
        for data in filter(None, written):
            self._transport.write(data)
