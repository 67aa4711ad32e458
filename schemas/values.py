"""What values of each type are accepted, and how they are stored."""

import ipaddress
import math
import re
from collections.abc import Sequence
from datetime import UTC, datetime
from datetime import date as calendar
from typing import Any, TypeAlias

import msgspec

from schemas.failures import ItemFailed

JsonValue: TypeAlias = Any

_INT64 = range(-(2**63), 2**63)
_DECIMAL = re.compile(r"-?[0-9]{1,40}")
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# An escaped NUL in encoded JSON, but no text that merely spells one.
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


def storable(value: JsonValue) -> JsonValue:
    """The same value, unless Postgres could not keep some text in it."""
    if isinstance(value, str) and value.isascii():
        if "\0" in value:
            raise ItemFailed(400, "Text cannot be stored")
        return value
    try:
        encoded = msgspec.json.encode(value)
    except UnicodeEncodeError:
        raise ItemFailed(400, "Text cannot be stored") from None
    if _NUL.search(encoded):
        raise ItemFailed(400, "Text cannot be stored")
    return value


def integer(value: object) -> int:
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        value = int(value)
    if type(value) is int and value in _INT64:
        return value
    raise ItemFailed(400, "Incorrect number")


def number(value: object) -> float:
    # `float` itself takes "1_000", " 1" and "nan" too.
    spelled = isinstance(value, str) and _NUMBER.fullmatch(value) is not None
    if spelled or type(value) in (int, float):
        try:
            parsed = float(value)  # type: ignore[arg-type]
        except OverflowError:
            parsed = math.inf
        if math.isfinite(parsed):
            return parsed
    raise ItemFailed(400, "Incorrect number")


def string(value: object) -> str:
    if isinstance(value, str):
        return str(storable(value))
    if type(value) is int:
        return str(value)
    raise ItemFailed(400, "Incorrect string")


def boolean(value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise ItemFailed(400, "Incorrect boolean")


def date(value: object) -> str:
    if isinstance(value, str) and (_DAY.fullmatch(value) or _MOMENT.fullmatch(value)):
        try:
            instant(value)
        # A day that no calendar has, or a moment before the year 1.
        except (ValueError, OverflowError):
            raise ItemFailed(400, "Incorrect date") from None
        return value
    raise ItemFailed(400, "Incorrect date")


def instant(text: str) -> str:
    """A day, or a moment in UTC: equal moments have the same text."""
    if _DAY.fullmatch(text):
        return calendar.fromisoformat(text).isoformat()
    return datetime.fromisoformat(text.upper()).astimezone(UTC).isoformat()


def option(options: Sequence[str], value: object) -> str:
    text = str(value) if type(value) is int else value
    if isinstance(text, str):
        # An option that looks like a number is meant before an ordinal, so that an int and its text are the same.
        if text in options:
            return text
        if _DECIMAL.fullmatch(text) and 0 <= int(text) < len(options):
            return options[int(text)]
    raise ItemFailed(400, "Incorrect option")


def ip(value: object) -> str:
    # A zone (`fe80::1%eth0`) means something on one machine only.
    if isinstance(value, str) and "%" not in value:
        try:
            return str(ipaddress.ip_address(value))
        except ValueError:
            pass
    raise ItemFailed(400, "Incorrect ip")


def tags(value: object) -> list[str]:
    given = value.split(",") if isinstance(value, str) and value.strip() else value
    if not isinstance(given, list) or not all(isinstance(tag, str) for tag in given):
        raise ItemFailed(400, "Incorrect tags")
    storable(given)
    return list(dict.fromkeys(tag.strip() for tag in given if tag.strip()))


def json_object(value: object) -> dict[str, JsonValue]:
    if isinstance(value, dict):
        storable(value)
        return value
    raise ItemFailed(400, "Incorrect object")


def objects(value: object) -> list[dict[str, JsonValue]]:
    if isinstance(value, list) and all(isinstance(element, dict) for element in value):
        storable(value)
        return value
    raise ItemFailed(400, "Incorrect object")
