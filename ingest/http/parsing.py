"""From bytes to JSON values: first the spans of an object's members, then one value at a time, so that nothing is built in vain."""

import re
from collections.abc import Generator, Iterable
from dataclasses import dataclass
from functools import lru_cache
from typing import Any, NamedTuple, TypeVar

import msgspec
from msgspec import Raw

from ingest.http.counting import has_more
from ingest.http.scanning import NUL, Body, NotJson
from schemas.item_errors import ItemFailed
from schemas.levels import LEVELS
from schemas.values import storable

V = TypeVar("V")

# As many elements can be found at once without asking how many they are.
_FEW_ELEMENTS = 500_000
# Written again, `\u0041` takes up a sixth; what shrinks more, blanks aside, is not worth to be built.
SHRINKS = 6

_ELEMENTS = msgspec.json.Decoder(list[Raw])
_ANY: msgspec.json.Decoder[Any] = msgspec.json.Decoder()
# As much of it as is told.
_UNKNOWN = re.compile(r"Object contains unknown field `(.{0,100}).*`", re.DOTALL)


class Piece(NamedTuple):
    """One value of a body."""

    value: Any
    # Bytes as it was written.
    size: int
    # No NUL and no lone surrogate in any text of it.
    storable: bool


@dataclass(frozen=True)
class Members:
    """An object's members that have a known name, not yet decoded; of a repeated one the last."""

    values: dict[str, Raw]
    # How one of the names begins that nobody knows.
    unknown: str | None = None


def members(raw: Body | Raw, names: tuple[str, ...]) -> Members:
    """Raises `NotJson`; however many members there are, only the known ones take up memory."""
    strict, _ = _shapes(names)
    try:
        return Members(_given(names, _decode(strict, raw)))
    except NotJson as why:
        unknown = _UNKNOWN.match(str(why))
        if unknown is None:
            raise
    # What follows is still to be JSON.
    return Members(known_members(raw, names), unknown[1])


def known_members(raw: Body | Raw, names: tuple[str, ...]) -> dict[str, Raw]:
    """The same, whatever else there is; raises `NotJson`."""
    _, lenient = _shapes(names)
    return _given(names, _decode(lenient, raw))


def _given(names: tuple[str, ...], found: msgspec.Struct) -> dict[str, Raw]:
    spans = zip(names, msgspec.structs.astuple(found), strict=True)
    return {name: span for name, span in spans if span is not None}


def elements(raw: Raw, most: int) -> Generator[None, None, list[Raw] | None]:
    """An array's elements, or None if there are more than `most`."""
    # The copy is gone before others get their turn.
    if bytes(raw).count(b",") >= _FEW_ELEMENTS and (yield from has_more(memoryview(raw), most)):
        return None
    found = _decode(_ELEMENTS, raw)
    return found if len(found) <= most else None


def first_elements(raw: Raw, count: int) -> list[Raw]:
    """The first of an array's elements; however many more there are, they take up no memory."""
    found = _decode(_first(count), raw)
    return [span for span in msgspec.structs.astuple(found) if span is not None]


def is_array(raw: Raw) -> bool:
    return _begins(raw, b"[")


def is_object(raw: Raw) -> bool:
    return _begins(raw, b"{")


def is_text(raw: Raw) -> bool:
    return _begins(raw, b'"')


def is_null(raw: Raw) -> bool:
    return _begins(raw, b"n")


def size(raw: Raw) -> int:
    return len(memoryview(raw))


def piece(raw: Raw) -> Piece:
    written = bytes(raw)
    value = _decode(_ANY, written)
    return Piece(value, len(written), NUL not in written or is_storable(value))


def is_storable(value: Any) -> bool:
    """No NUL and no lone surrogate anywhere in it."""
    try:
        storable(value)
    except ItemFailed:
        return False
    return True


@lru_cache
def _shapes(names: tuple[str, ...]) -> tuple[msgspec.json.Decoder[Any], msgspec.json.Decoder[Any]]:
    """Decoders of an object: one that refuses a name which is not among these, and one that skips it."""
    rename = {f"m{position}": name for position, name in enumerate(names)}
    shapes = (msgspec.defstruct("Members", _spans(rename), rename=rename, forbid_unknown_fields=strict) for strict in (True, False))
    strict, lenient = map(msgspec.json.Decoder, shapes)
    return strict, lenient


@lru_cache
def _first(count: int) -> msgspec.json.Decoder[Any]:
    return msgspec.json.Decoder(msgspec.defstruct("First", _spans(f"e{position}" for position in range(count)), array_like=True))


def _spans(names: Iterable[str]) -> list[tuple[str, type[Raw], None]]:
    return [(name, Raw, None) for name in names]


def _begins(raw: Raw, with_: bytes) -> bool:
    return bytes(memoryview(raw)[:1]) == with_


def _decode(decoder: msgspec.json.Decoder[V], raw: Body | Raw) -> V:
    try:
        return decoder.decode(raw)
    except RecursionError:
        raise NotJson(f"there are more than {LEVELS} levels") from None
    except (msgspec.MsgspecError, UnicodeDecodeError) as error:
        raise NotJson(str(error)) from None
