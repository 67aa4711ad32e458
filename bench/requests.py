"""Pure: requests of the account that is measured."""

from collections.abc import Iterable, Mapping, Sequence
from typing import Any

import msgspec

from bench.account import TOKEN, TRIGGER
from bench.profiles import FIELDS, Row


def starting(items: Iterable[Mapping[str, Any]], token: str = TOKEN) -> bytes:
    """Profiles, and a launch for each of them tomorrow."""
    data = [{"data": item} for item in items]
    return msgspec.json.encode({"token": token, "trigger_id": TRIGGER, "timeout": {"days": 1}, "data": data})


def importing(items: Iterable[Mapping[str, Any]]) -> bytes:
    """Profiles alone."""
    return msgspec.json.encode({"token": TOKEN, "db_id": 1, "data": list(items)})


def named(rows: Sequence[Row]) -> list[dict[str, str]]:
    return [dict(zip(FIELDS, row, strict=True)) for row in rows]
