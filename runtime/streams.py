"""Streams at which no process fails: no line is worth what it tells of."""

import io
from collections.abc import Callable
from contextlib import suppress
from typing import Any, TextIO, cast

Told = Callable[[int], str]


class Unfailing:
    """A text stream that loses what it has no room for, as on a full disk, and says how many lines when it has some again."""

    def __init__(self, stream: TextIO, told: Told) -> None:
        # What a line raises is then its own, and no text is one that cannot be spelled.
        if isinstance(stream, io.TextIOWrapper):
            stream.reconfigure(errors="backslashreplace", line_buffering=False, write_through=True)
        self._stream = stream
        self._told = told
        self._lost = 0

    def write(self, text: str) -> int:
        try:
            return self._stream.write(text)
        except OSError:
            self._lost += 1
            return len(text)

    def flush(self) -> None:
        # What it took and could not pass on the stream keeps, and tries again.
        with suppress(OSError):
            self._stream.flush()
            if self._lost:
                self._stream.write(self._told(self._lost))
                self._lost = 0
                self._stream.flush()

    def __getattr__(self, name: str) -> Any:
        return getattr(self._stream, name)


def unfailing(stream: TextIO, told: Told = "profuse: {} lines are lost\n".format) -> TextIO:
    return stream if isinstance(stream, Unfailing) else cast("TextIO", Unfailing(stream, told))
