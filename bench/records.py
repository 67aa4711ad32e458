"""Pure: profiles as the messages that peers read."""

from collections.abc import Sequence

import msgspec

from bench.profiles import FIELDS, Row

_NAMES = ("email", "first_name", "last_name", "city", "country")
# Kafka Connect wants it in each message where no registry knows it.
_SCHEMA = {"type": "struct", "optional": False, "fields": [{"field": name, "type": "string", "optional": False} for name in FIELDS]}

Record = tuple[bytes, bytes]
"""Key and value."""


def objects(rows: Sequence[Row]) -> list[Record]:
    return [(row[0].encode(), msgspec.json.encode(dict(zip(_NAMES, row, strict=True)))) for row in rows]


def arrays(rows: Sequence[Row]) -> list[Record]:
    return [(row[0].encode(), msgspec.json.encode(row)) for row in rows]


def with_schema(rows: Sequence[Row]) -> list[Record]:
    payloads = (dict(zip(FIELDS, row, strict=True)) for row in rows)
    return [(payload[FIELDS[0]].encode(), msgspec.json.encode({"schema": _SCHEMA, "payload": payload})) for payload in payloads]
