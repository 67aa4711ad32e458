"""A connection of aiohttp's whose answers begin within bounds: it alone reads heads that are no answer yet without an end, in one go."""

from functools import partial
from typing import Any

import aiohttp
from aiohttp.client_proto import ResponseHandler

from schemas.settings import KIB

# Of one request: answers such as `100 Continue`, and bytes until the one that counts.
_INFORMATIONAL = 8
_HEADS = 64 * KIB
# What is parsed before anybody looks what came of it.
_PORTION = 4 * KIB


class EndlessHeads(aiohttp.ClientError):
    """More was said before the answer than belongs there, or behind it."""


class Answering(ResponseHandler):
    """One server's side of a connection."""

    _informational = 0
    _before = 0
    _has_answered = False
    _is_refused = False

    def set_response_params(self, **options: Any) -> None:
        self._informational, self._before, self._has_answered = 0, 0, False
        super().set_response_params(**options)

    def feed_data(self, data: Any, size: int = 0) -> None:
        """A head that was parsed."""
        if 100 <= data[0].code < 200:
            self._informational += 1
        elif self._has_answered:
            # To no request.
            self._informational = _INFORMATIONAL + 1
        else:
            self._has_answered = True
        super().feed_data(data, size)

    def data_received(self, data: bytes) -> None:
        if len(data) <= _PORTION:
            self._portion(data)
        else:
            for at in range(0, len(data), _PORTION):
                self._portion(data[at : at + _PORTION])

    def _portion(self, data: bytes) -> None:
        if self._is_refused:
            return
        if not self._has_answered:
            self._before += len(data)
        super().data_received(data)
        if self._informational > _INFORMATIONAL or (self._before > _HEADS and not self._has_answered):
            self._refuse()

    def _refuse(self) -> None:
        self._is_refused = True
        self.set_exception(EndlessHeads())
        if self.transport is not None:
            self.transport.abort()


class BoundedConnector(aiohttp.TCPConnector):
    """Makes such connections."""

    def __init__(self, **options: Any) -> None:
        super().__init__(**options)
        self._factory = partial(Answering, loop=self._loop)  # type: ignore[assignment]
