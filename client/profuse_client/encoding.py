"""Pure: items and parameters as JSON that the server reads; what cannot be written so costs its own item, not its request."""

import base64
import json
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import date, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any
from uuid import UUID

# An item stands in two levels of the 32 that a request may have; a deeper one would cost all of its request.
_LEVELS = 30


class Unsendable(ValueError):
    """No JSON says what the item holds."""


@dataclass(frozen=True, slots=True)
class Item:
    """A profile with what stands beside it: `keys` that find it (`email`, `field_value`, …), and its own `custom_data`."""

    data: Mapping[str, Any]
    custom_data: Mapping[str, Any] | None = None
    keys: Mapping[str, int | str] = field(default_factory=dict)


Profile = Mapping[str, Any] | Item
"""Its fields, or these and what stands beside them."""


@dataclass(frozen=True, slots=True)
class File:
    """A file that goes with each mail."""

    name: str
    content: bytes
    mimetype: str = "application/octet-stream"

    @classmethod
    def read(cls, path: Path | str, mimetype: str = "application/octet-stream") -> "File":
        return cls(Path(path).name, Path(path).read_bytes(), mimetype)


def wrapped(item: object) -> object:
    """As `import_and_start_batch` takes it."""
    if not isinstance(item, Item):
        return {"data": item}
    beside = {} if item.custom_data is None else {"custom_data": item.custom_data}
    return {**item.keys, "data": item.data, **beside}


def bare(item: object) -> object:
    """As the calls take it whose items are not wrapped."""
    return item


def encoded(value: object) -> bytes:
    """Raises `Unsendable`."""
    try:
        text = _READABLE.encode(value)
    except (TypeError, ValueError, RecursionError) as reason:
        raise Unsendable(f"Cannot be sent: {reason}") from None
    if text.count("{") + text.count("[") > _LEVELS and _is_deeper(value, _LEVELS):
        raise Unsendable("Cannot be sent: nested too deeply")
    try:
        return text.encode()
    except UnicodeEncodeError:
        # Half of a surrogate pair: the server knows what to say of it.
        return _ESCAPED.encode(value).encode()


def attached(file: "File | Mapping[str, Any]") -> object:
    if not isinstance(file, File):
        return file
    return {"name": file.name, "data": f"data:{file.mimetype};base64,{base64.b64encode(file.content).decode()}"}


def plain(value: object) -> object:
    """What JSON has no name for, as the server reads it."""
    match value:
        case datetime() | date():
            return value.isoformat()
        case Decimal() | UUID():
            return str(value)
        case Mapping():
            return dict(value)
    raise TypeError(f"{type(value).__name__} is no JSON")


def _is_deeper(value: object, levels: int) -> bool:
    """Whether it is nested in more than so many; beyond these nobody looks, however many there are."""
    inner: Any = ()
    match value:
        case Mapping():
            inner = value.values()
        case list() | tuple():
            inner = value
        case _:
            return False
    return levels == 0 or any(_is_deeper(each, levels - 1) for each in inner)


# Made once: a million items would make a million of them.
_READABLE = json.JSONEncoder(ensure_ascii=False, allow_nan=False, separators=(",", ":"), default=plain)
_ESCAPED = json.JSONEncoder(allow_nan=False, separators=(",", ":"), default=plain)
