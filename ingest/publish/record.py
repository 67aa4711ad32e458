"""Prepared items as records of the imports topic."""

from typing import Any, NamedTuple

import msgspec

from schemas.fields import MatchValue
from schemas.item_errors import ItemFailed, Why
from schemas.messages import ProfileImport
from schemas.topics import LARGEST_RECORD, item_headers

Headers = tuple[tuple[str, bytes], ...]
Record = tuple[bytes, bytes, Headers]

# What Python adds for key, value, headers and the tuples around them, as measured.
_OBJECTS = 600

_ENCODER = msgspec.json.Encoder()


class Prepared(NamedTuple):
    """An item that is ready to be published."""

    key: bytes
    value: MatchValue
    data: dict[str, Any]
    custom_data: dict[str, Any] | None


def record(batch: bytes, item: int, prepared: Prepared, carried: Headers = ()) -> Record:
    """Key, value and headers; `carried` are more of these.

    `ProfileImport` defines the value; building the model for each item would take 3 µs more.
    """
    value = {
        "v": ProfileImport.VERSION,
        "batch": batch.hex(),
        "item": item,
        "value": prepared.value,
        "data": prepared.data,
        "custom_data": prepared.custom_data,
    }
    return prepared.key, _ENCODER.encode(value), item_headers(batch, item) + carried


def publishable(written: Record) -> Record:
    """Raises `ItemFailed` for one that the broker would refuse again and again, with all that waits behind it."""
    if len(written[0]) + len(written[1]) > LARGEST_RECORD:
        raise ItemFailed(Why.ITEM_TOO_LARGE)
    return written


def size(written: Record) -> int:
    """Bytes that a record takes up while it waits."""
    return len(written[0]) + len(written[1]) + _OBJECTS
