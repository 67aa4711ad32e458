"""Files in a request: found without building more than a hundred entries, and decoded in slices from where they stand in the body."""

import binascii
import re
from collections.abc import Generator, Iterator, Sequence
from dataclasses import dataclass
from typing import Any

import msgspec
from msgspec import Raw

from ingest.http import parsing
from ingest.request_errors import invalid
from schemas.mimetypes import MIMETYPE
from schemas.settings import KIB

MOST_FILES = 100
_NAMES = ("name", "data", "mimetype")
# What is no data, in the longest writing.
_LONGEST = 8 * KIB
_LONGEST_HEAD = 8 * KIB

_HEAD = re.compile(rf"data:(?P<mimetype>{MIMETYPE})?(?:;[^,;]*)*?(?P<base64>;base64)?", re.IGNORECASE)

_SLICE = 256 * KIB
_ALPHABET = b"ABCDEFGHIJKLMNOPQRSTUVWXYZabcdefghijklmnopqrstuvwxyz0123456789+/"
_PERCENT_EQUALS = re.compile(b"%3d", re.IGNORECASE)


@dataclass(frozen=True)
class DataUri:
    """The base64 of a data URI, as it is written in the body, and the type that it names."""

    mimetype: str | None
    written: memoryview


def entries(raw: Raw) -> Any:
    """What `attach` holds, one entry or an array of them, each with its data still as written."""
    spans = parsing.first_elements(raw, MOST_FILES + 1) if parsing.is_array(raw) else [raw]
    if len(spans) > MOST_FILES:
        raise invalid(f"attach: more than {MOST_FILES} files")
    return [_entry(f"attach.{position}", span) for position, span in enumerate(spans)]


def _entry(where: str, raw: Raw) -> dict[str, Any]:
    if not parsing.is_object(raw):
        raise invalid(f"{where}: must be an object")
    found = parsing.members(raw, _NAMES)
    if found.unknown is not None:
        raise invalid(f"{where}.{found.unknown[:100]}: unknown parameter")
    given = {name: value for name, value in found.values.items() if not parsing.is_null(value)}
    for name, value in given.items():
        if not parsing.is_text(value):
            raise invalid(f"{where}.{name}: must be text")
        if name != "data" and parsing.size(value) > _LONGEST:
            raise invalid(f"{where}.{name}: too long")
    return {name: value if name == "data" else parsing.piece(value).value for name, value in given.items()}


def data_uri(given: object) -> DataUri:
    """A text of the body as a data URI; raises `ValueError`."""
    written = memoryview(given)[1:-1] if isinstance(given, Raw) else memoryview(str(given).encode())
    head, comma, _ = bytes(written[:_LONGEST_HEAD]).partition(b",")
    uri = _HEAD.fullmatch(str(_unescaped(head))) if comma else None
    if uri is None or not uri["base64"]:
        raise ValueError("must be a base64 data URI")
    return DataUri(uri["mimetype"], written[len(head) + 1 :])


def decoded(uris: Sequence[DataUri]) -> Generator[None, None, list[bytearray]]:
    """The files' bytes; refused if one is not base64."""
    files = []
    for position, uri in enumerate(uris):
        try:
            files.append((yield from _decoded(uri.written)))
        except ValueError:
            raise invalid(f"attach.{position}.data: not base64") from None
    return files


def _decoded(written: memoryview) -> Generator[None, None, bytearray]:
    file, left, padding = bytearray(), b"", 0
    for part in _slices(written):
        text, sign, behind = _plain(part).partition(b"=")
        # As encoders write it: padding may be missing, but ends the file.
        if text.translate(None, _ALPHABET) or behind.strip(b"=") or (padding and text):
            raise ValueError
        padding += len(sign) + len(behind)
        whole = (left + text)[: (len(left) + len(text)) // 4 * 4]
        file += binascii.a2b_base64(whole)
        left = (left + text)[len(whole) :]
        yield
    if padding > 2 or len(left) == 1:
        raise ValueError
    file += binascii.a2b_base64(left + b"=" * (-len(left) % 4))
    return file


def _slices(written: memoryview) -> Iterator[bytes]:
    """Parts that cut no escape in two, be it JSON's or a percent sign's."""
    at = 0
    while at < len(written):
        part = bytes(written[at : at + _SLICE])
        begun = max(part.rfind(b"\\", -6), part.rfind(b"%", -3))
        if begun > 0 and at + len(part) < len(written):
            part = part[:begun]
        yield part
        at += len(part)


def _plain(part: bytes) -> bytes:
    """Without escapes and line breaks."""
    if b"\\" in part:
        part = _unescaped(part).encode()
    if b"%" in part:
        part = _PERCENT_EQUALS.sub(b"=", part)
    return part.translate(None, b"\r\n")


def _unescaped(written: bytes) -> str:
    try:
        return msgspec.json.decode(b'"%s"' % written, type=str)
    except (msgspec.MsgspecError, UnicodeDecodeError):
        raise ValueError from None
