"""Text files: looked at once as bytes, for what they are written in and what they are known by."""

import codecs
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader, TextIOWrapper
from typing import TextIO

from profuse.importing.guessing import Letters, marked, wide
from profuse.importing.source import Source
from runtime.errors import CannotRun

_BLOCK = 1024 * 1024
_HALVES = "profuse.halves"


@dataclass(frozen=True)
class Looked:
    """At all bytes of a file."""

    digest: str
    lines: int
    encoding: str


def look(file: Source, encoding: str | None) -> Looked:
    """Raises `CannotRun` for what cannot be read, or is empty."""
    digest, lines, letters, start = hashlib.sha256(), 0, Letters(), b""
    with file.opened() as stream:
        while block := stream.read(_BLOCK):
            start = start or block
            digest.update(block)
            lines += block.count(b"\n")
            letters.add(block)
    if not start.strip():
        raise CannotRun(f"{file} is empty.")
    return Looked(digest.hexdigest(), lines, _named(encoding, start) if encoding else marked(start) or wide(start) or letters.encoding)


@contextmanager
def reading(file: Source, encoding: str) -> Iterator[TextIO]:
    """A byte that the encoding does not know becomes half of a surrogate pair, which fails its own row at the server."""
    with file.opened() as stream, _decoded(stream, encoding) as text:
        try:
            yield text
        # Of codecs that miss their mark, or know no letters.
        except UnicodeError as error:
            why = error.reason if isinstance(error, UnicodeDecodeError) else error
            raise CannotRun(
                f"{file} is not {encoding} to its end: {why}. Name another one: --encoding utf-8, utf-16-le or cp1251."
            ) from None


def _halves(error: UnicodeError) -> tuple[str, int]:
    """Unlike `surrogateescape` also of bytes that are ASCII elsewhere, such as those of letters of two."""
    if not isinstance(error, UnicodeDecodeError):
        raise error
    return "".join(chr(0xDC00 | byte) for byte in error.object[error.start : error.end]), error.end


codecs.register_error(_HALVES, _halves)


def _decoded(stream: BufferedReader, encoding: str) -> TextIO:
    try:
        return TextIOWrapper(stream, encoding, _HALVES, newline="")
    except LookupError:
        raise CannotRun(f"--encoding {encoding} is none that Python knows: utf-8, utf-16, cp1251, cp1252, …") from None


def _named(encoding: str, start: bytes) -> str:
    """With the mark of its own kind it is read as that mark says: else the mark would be a letter of the first column."""
    try:
        name = codecs.lookup(encoding).name
    except LookupError:
        # Is told by who reads it.
        return encoding
    found = marked(start)
    return found if found is not None and name.startswith(found.removesuffix("-sig")) else encoding
