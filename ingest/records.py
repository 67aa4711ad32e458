"""Prepared items as records of the imports topic."""

import msgspec

from ingest.items import Prepared
from schemas.messages import ProfileImport
from schemas.topics import item_headers

Record = tuple[bytes, bytes, tuple[tuple[str, bytes], ...]]

_ENCODER = msgspec.json.Encoder()


def record(batch: bytes, item: int, prepared: Prepared) -> Record:
    """Key, value and headers. `ProfileImport` defines the value; building the model for each item would take 3 µs more."""
    value = {
        "v": ProfileImport.VERSION,
        "batch": batch.hex(),
        "item": item,
        "value": prepared.value,
        "data": prepared.data,
        "custom_data": prepared.custom_data,
    }
    return prepared.key, _ENCODER.encode(value), item_headers(batch, item)


def size(written: Record) -> int:
    """Bytes that a record takes up while it waits; the rest is headers and framing."""
    return len(written[0]) + len(written[1]) + 100
