"""Text files: looked at once as bytes, for what they are written in and what they are known by."""

import codecs
import hashlib
import re
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from io import BufferedReader, TextIOWrapper
from pathlib import Path
from typing import TextIO

from runtime.errors import CannotRun

_BLOCK = 1024 * 1024
_MARKS = (
    (codecs.BOM_UTF8, "utf-8-sig"),
    (codecs.BOM_UTF32_LE, "utf-32"),
    (codecs.BOM_UTF32_BE, "utf-32"),
    (codecs.BOM_UTF16_LE, "utf-16"),
    (codecs.BOM_UTF16_BE, "utf-16"),
)
# Letters beyond ASCII that touch each other: whole words of them are Cyrillic, single ones are accents.
_TOUCHING = re.compile(rb"[\xa8\xb8\xc0-\xff]{2,}")
_HIGH = re.compile(rb"[\x80-\xff]")


@dataclass(frozen=True)
class Looked:
    """At all bytes of a file."""

    digest: str
    lines: int
    encoding: str


def look(file: Path, encoding: str | None) -> Looked:
    """Raises `CannotRun` for what cannot be read, is empty, or is no text."""
    digest, lines, strange, start = hashlib.sha256(), 0, b"", b""
    utf8 = codecs.getincrementaldecoder("utf-8")()
    with opened(file) as stream:
        while block := stream.read(_BLOCK):
            start = start or block
            digest.update(block)
            lines += block.count(b"\n")
            if not strange:
                strange = _not_utf8(utf8, block)
    if not start.strip():
        raise CannotRun(f"{file} is empty.")
    return Looked(digest.hexdigest(), lines, _named(encoding, start) if encoding else _guessed(start, strange))


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


def _not_utf8(decoder: codecs.IncrementalDecoder, block: bytes) -> bytes:
    try:
        decoder.decode(block)
    except UnicodeDecodeError:
        return block
    return b""


def _named(encoding: str, start: bytes) -> str:
    """With the mark of its own kind it is read as that mark says: else the mark would be a letter of the first column."""
    try:
        name = codecs.lookup(encoding).name
    except LookupError:
        # Is told by who reads it.
        return encoding
    marked = _marked(start)
    return marked if marked is not None and name.startswith(marked.removesuffix("-sig")) else encoding


def _marked(start: bytes) -> str | None:
    return next((encoding for mark, encoding in _MARKS if start.startswith(mark)), None)


def _guessed(start: bytes, strange: bytes) -> str:
    marked = _marked(start)
    if marked is not None:
        return marked
    for offset, encoding in ((1, "utf-16-le"), (0, "utf-16-be")):
        half = start[offset:1_000:2]
        if half.count(0) > len(half) // 2:
            return encoding
    return _single_byte(strange) if strange else "utf-8"


def _single_byte(strange: bytes) -> str:
    text = strange.decode(errors="replace")
    broken = text.count("\ufffd")
    # A few broken letters among many whole ones are broken UTF-8, and cost their own rows.
    if sum(not character.isascii() for character in text) > 10 * broken:
        return "utf-8"
    touching = sum(map(len, _TOUCHING.findall(strange)))
    return "cp1251" if touching * 2 > len(_HIGH.findall(strange)) else "cp1252"
