"""The types a profile's field may have: what each accepts, how it is stored, and how it is compared in a search."""

import ipaddress
import math
import re
from collections.abc import Callable, Mapping
from datetime import UTC, date, datetime
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Self, TypeAlias

import msgspec
from pydantic import BaseModel, ConfigDict, model_validator

from schemas.failures import ItemFailed

JsonValue: TypeAlias = Any


class FieldType(StrEnum):
    """The types that a database's own field may be declared with."""

    INT = "int"
    FLOAT = "float"
    STRING = "string"
    BOOLEAN = "boolean"
    DATE = "date"
    ENUM = "enum"
    IP = "ip"
    TAGS = "tags"
    OBJECT = "object"
    ARR_OBJECT = "arr_object"


MATCHABLE_TYPES = frozenset({FieldType.INT, FieldType.STRING, FieldType.DATE, FieldType.IP, FieldType.ENUM, FieldType.TAGS})


class Field(BaseModel):
    """A declared field; `"tags"` is short for `{"type": "tags"}`."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    type: FieldType
    match: bool = False
    options: list[str] = []

    @model_validator(mode="before")
    @classmethod
    def _short_form(cls, declared: Any) -> Any:
        return {"type": declared} if isinstance(declared, str) else declared

    @model_validator(mode="after")
    def _consistent(self) -> Self:
        if self.match and self.type not in MATCHABLE_TYPES:
            raise ValueError(f"a field of type {self.type} cannot be matched by")
        if (self.type is FieldType.ENUM) != bool(self.options):
            raise ValueError("options belong to the type enum, which needs them")
        return self


# A profile's `_status` and a subscription's `status`, by their numbers.
STATUSES = ("subscribed", "unsubscribed", "complained", "hardbounced", "unconfirmed", "suspended", "invalid")

_STATUS = Field(type=FieldType.ENUM, options=list(STATUSES))
_TEXT = Field(type=FieldType.STRING)
_DATE = Field(type=FieldType.DATE)
_IP = Field(type=FieldType.IP)

# `email`, `phones` and `subscriptions` follow rules of their own.
SYSTEM_FIELDS: Mapping[str, Field] = MappingProxyType(
    {
        "_fname": _TEXT,
        "_lname": _TEXT,
        "_bdate": _DATE,
        "_sex": Field(type=FieldType.ENUM, options=["male", "female"]),
        "_regdate": _DATE,
        "_regip": _IP,
        "_regurl": _TEXT,
        "_regcountry": _TEXT,
        "_regcity": _TEXT,
        "_ip": _IP,
        "_country": _TEXT,
        "_region": _TEXT,
        "_city": _TEXT,
        "_postal_code": _TEXT,
        "_tz": _TEXT,
        "_vendor": _TEXT,
        "_browser": _TEXT,
        "_status": _STATUS,
    }
)

_INT64 = range(-(2**63), 2**63)
_DECIMAL = re.compile(r"-?[0-9]{1,40}")
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?(?:[eE][+-]?[0-9]+)?")
_MOMENT = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}[Tt ][0-9]{2}:[0-9]{2}:[0-9]{2}(?:\.[0-9]+)?(?:[Zz]|[+-][0-9]{2}:[0-9]{2})")
_DAY = re.compile(r"[0-9]{4}-[0-9]{2}-[0-9]{2}")
# An escaped NUL in encoded JSON, but no text that merely spells one.
_NUL = re.compile(rb"(?<!\\)(?:\\\\)*\\u0000")


def parse(field: Field, value: object) -> JsonValue:
    """The stored form of a value that is not null."""
    if field is _STATUS:
        return STATUSES.index(_enum(field, value))
    return _PARSERS[field.type](field, value)


def match_text(field: Field, value: object) -> str:
    """What a value is searched by: the same text for an int and its decimal string, and for tags in any order."""
    parsed = parse(field, value)
    if field.type is FieldType.TAGS:
        # No tag at all would be carried by everybody.
        if not parsed:
            raise ItemFailed(400, "Incorrect tags")
        return ", ".join(sorted(parsed))
    if field.type is FieldType.DATE:
        return _instant(parsed)
    return str(parsed)


def status_word(value: object) -> str:
    """A subscription's status by its word or number."""
    return _enum(_STATUS, value)


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


def _int(field: Field, value: object) -> int:
    if isinstance(value, str) and _DECIMAL.fullmatch(value):
        value = int(value)
    if type(value) is int and value in _INT64:
        return value
    raise ItemFailed(400, "Incorrect number")


def _float(field: Field, value: object) -> float:
    # `float` itself takes "1_000", " 1" and "nan" too.
    spelled = isinstance(value, str) and _NUMBER.fullmatch(value) is not None
    if spelled or type(value) in (int, float):
        try:
            number = float(value)  # type: ignore[arg-type]
        except OverflowError:
            number = math.inf
        if math.isfinite(number):
            return number
    raise ItemFailed(400, "Incorrect number")


def _string(field: Field, value: object) -> str:
    if isinstance(value, str):
        return str(storable(value))
    if type(value) is int:
        return str(value)
    raise ItemFailed(400, "Incorrect string")


def _boolean(field: Field, value: object) -> bool:
    if isinstance(value, bool):
        return value
    raise ItemFailed(400, "Incorrect boolean")


def _date(field: Field, value: object) -> str:
    if isinstance(value, str) and (_DAY.fullmatch(value) or _MOMENT.fullmatch(value)):
        try:
            _instant(value)
        # A day that no calendar has, or a moment before the year 1.
        except (ValueError, OverflowError):
            raise ItemFailed(400, "Incorrect date") from None
        return value
    raise ItemFailed(400, "Incorrect date")


def _instant(text: str) -> str:
    if _DAY.fullmatch(text):
        return date.fromisoformat(text).isoformat()
    return datetime.fromisoformat(text.upper()).astimezone(UTC).isoformat()


def _enum(field: Field, value: object) -> str:
    text = str(value) if type(value) is int else value
    if isinstance(text, str):
        # An option that looks like a number is meant before an ordinal, so that an int and its text are the same.
        if text in field.options:
            return text
        if _DECIMAL.fullmatch(text) and 0 <= int(text) < len(field.options):
            return field.options[int(text)]
    raise ItemFailed(400, "Incorrect option")


def _ip(field: Field, value: object) -> str:
    # A zone (`fe80::1%eth0`) means something on one machine only.
    if isinstance(value, str) and "%" not in value:
        try:
            return str(ipaddress.ip_address(value))
        except ValueError:
            pass
    raise ItemFailed(400, "Incorrect ip")


def _tags(field: Field, value: object) -> list[str]:
    given = value.split(",") if isinstance(value, str) and value.strip() else value
    if not isinstance(given, list) or not all(isinstance(tag, str) for tag in given):
        raise ItemFailed(400, "Incorrect tags")
    storable(given)
    return list(dict.fromkeys(tag.strip() for tag in given if tag.strip()))


def _object(field: Field, value: object) -> dict[str, JsonValue]:
    if isinstance(value, dict):
        storable(value)
        return value
    raise ItemFailed(400, "Incorrect object")


def _arr_object(field: Field, value: object) -> list[dict[str, JsonValue]]:
    if isinstance(value, list) and all(isinstance(element, dict) for element in value):
        storable(value)
        return value
    raise ItemFailed(400, "Incorrect object")


_PARSERS: Mapping[FieldType, Callable[[Field, object], JsonValue]] = {
    FieldType.INT: _int,
    FieldType.FLOAT: _float,
    FieldType.STRING: _string,
    FieldType.BOOLEAN: _boolean,
    FieldType.DATE: _date,
    FieldType.ENUM: _enum,
    FieldType.IP: _ip,
    FieldType.TAGS: _tags,
    FieldType.OBJECT: _object,
    FieldType.ARR_OBJECT: _arr_object,
}
