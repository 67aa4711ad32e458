"""From bytes to JSON values, piece by piece, so that a large body can be read without stopping everything else."""

import re
from collections.abc import Iterator
from typing import Any, NamedTuple, TypeVar

import msgspec

from schemas.failures import ItemFailed
from schemas.values import storable

LEVELS = 32
DIGITS = 4_300

V = TypeVar("V")

_ROOT = msgspec.json.Decoder(dict[str, msgspec.Raw])
_ARRAY = msgspec.json.Decoder(list[msgspec.Raw])
_ANY: msgspec.json.Decoder[Any] = msgspec.json.Decoder()

# A surrogate pair, a lone surrogate, or any other escape (so that `\\ud800` is no surrogate).
_ESCAPES = re.compile(rb"\\u[dD][89abAB]..\\u[dD][c-fC-F]..|(\\u[dD][89a-fA-F]..)|\\.", re.DOTALL)
_STRINGS_AND_NUMBERS = re.compile(rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"|-?[0-9][0-9.eE+-]*+', re.DOTALL)
_NUL = rb"\u0000"
_IN_NUMBERS = bytes.maketrans(b"123456789.eE+-", b"0" * 14)
_LONG_RUN = b"0" * (DIGITS + 1)


class NotJson(Exception):
    """The body is no JSON that we keep; the text says why."""


class Piece(NamedTuple):
    """One value of a body."""

    value: Any
    # Bytes as it was written.
    size: int
    # No NUL and no lone surrogate in any text of it.
    storable: bool


def split(body: bytes) -> dict[str, msgspec.Raw]:
    """The root object's values, not yet decoded; of a repeated key the last one."""
    try:
        # What is skipped here is decoded later, or never: then nobody else would notice.
        body.decode()
        return _decode(_ROOT, body)
    except UnicodeDecodeError:
        raise NotJson("the body is not UTF-8") from None
    except NotJson:
        repaired = _lone_surrogates_as_nul(body)
        if repaired == body:
            raise
        return _decode(_ROOT, repaired)


def elements(raw: msgspec.Raw) -> list[msgspec.Raw] | None:
    """An array's elements, or None if it is no array."""
    return _decode(_ARRAY, raw) if bytes(memoryview(raw)[:1]) == b"[" else None


def piece(raw: msgspec.Raw, level: int) -> Piece:
    """Decode a value that stands on a level of the body, where the root is 1."""
    written = bytes(raw)
    if len(written) > DIGITS and any(_long_numbers(written)):
        raise NotJson(f"a number has more than {DIGITS} digits")
    value = _decode(_ANY, written)
    # There are at least as many brackets as levels.
    if level + written.count(b"[") + written.count(b"{") > LEVELS and not _fits(value, LEVELS + 1 - level):
        raise NotJson(f"there are more than {LEVELS} levels")
    return Piece(value, len(written), _NUL not in written or is_storable(value))


def _decode(decoder: msgspec.json.Decoder[V], raw: bytes | msgspec.Raw) -> V:
    try:
        return decoder.decode(raw)
    except RecursionError:
        raise NotJson(f"there are more than {LEVELS} levels") from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise NotJson(str(error)) from None


def _lone_surrogates_as_nul(body: bytes) -> bytes:
    """The parser refuses a whole body for a lone surrogate; NUL gets the same error, but costs only its item."""
    return _ESCAPES.sub(lambda found: _NUL if found[1] else found[0], body)


def _long_numbers(written: bytes) -> Iterator[bytes]:
    if _LONG_RUN not in written.translate(_IN_NUMBERS):
        return
    for found in _STRINGS_AND_NUMBERS.finditer(written):
        token = found[0]
        if len(token) > DIGITS and token[:1] != b'"' and sum(map(token.count, b"0123456789")) > DIGITS:
            yield token


def _fits(value: Any, levels: int) -> bool:
    if isinstance(value, dict):
        return levels > 0 and all(_fits(inner, levels - 1) for inner in value.values())
    if isinstance(value, list):
        return levels > 0 and all(_fits(inner, levels - 1) for inner in value)
    return True


def is_storable(value: Any) -> bool:
    """No NUL and no lone surrogate anywhere in it."""
    try:
        storable(value)
    except ItemFailed:
        return False
    return True
