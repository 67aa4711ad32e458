"""Text files: looked at once as bytes, for what they are written in and what they are known by."""

import codecs
import hashlib
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader, TextIOWrapper
from pathlib import Path
from typing import TextIO

from profuse.importing.guessing import Letters, marked, wide
from runtime.errors import CannotRun

_BLOCK = 1024 * 1024


@dataclass(frozen=True)
class Looked:
    """At all bytes of a file."""

    digest: str
    lines: int
    encoding: str


def look(file: Path, encoding: str | None) -> Looked:
    """Raises `CannotRun` for what cannot be read, is empty, or is no text."""
    digest, lines, letters, start = hashlib.sha256(), 0, Letters(), b""
    with opened(file) as stream:
        while block := stream.read(_BLOCK):
            start = start or block
            digest.update(block)
            lines += block.count(b"\n")
            letters.add(block)
    if not start.strip():
        raise CannotRun(f"{file} is empty.")
    return Looked(digest.hexdigest(), lines, _named(encoding, start) if encoding else marked(start) or wide(start) or letters.encoding)


@contextmanager
def opened(file: Path) -> Iterator[BufferedReader]:
    """Its bytes; an error of the system is told also while they are read."""
    if file.is_dir():
        raise CannotRun(f"{file} is a directory; name a file in it.")
    try:
        with file.open("rb") as stream:
            yield stream
    except OSError as error:
        raise CannotRun(f"{file} cannot be read: {error.strerror or error}.") from None


@contextmanager
def reading(file: Path, encoding: str) -> Iterator[TextIO]:
    """A byte that the encoding does not know becomes half of a surrogate pair, which fails its own row at the server."""
    with opened(file) as stream, _decoded(stream, encoding) as text:
        try:
            yield text
        # Some codecs raise the first alone, when they miss their mark.
        except UnicodeError as error:
            why = error.reason if isinstance(error, UnicodeDecodeError) else error
            raise CannotRun(f"{file} is not {encoding} to its end: {why}. Name another one: --encoding cp1251") from None


def digest(file: Path) -> str:
    with opened(file) as stream:
        return hashlib.file_digest(stream, "sha256").hexdigest()


def _decoded(stream: BufferedReader, encoding: str) -> TextIO:
    errors = "strict" if encoding.startswith(("utf-16", "utf-32")) else "surrogateescape"
    try:
        return TextIOWrapper(stream, encoding, errors, newline="")
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
