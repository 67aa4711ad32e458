"""The types a profile's field may have: what each accepts, how it is stored, and how it is compared in a search."""

from collections.abc import Callable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, model_validator

from schemas import values
from schemas.failures import ItemFailed
from schemas.values import JsonValue


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

_PARSERS: Mapping[FieldType, Callable[[object], JsonValue]] = {
    FieldType.INT: values.integer,
    FieldType.FLOAT: values.number,
    FieldType.STRING: values.string,
    FieldType.BOOLEAN: values.boolean,
    FieldType.DATE: values.date,
    FieldType.IP: values.ip,
    FieldType.TAGS: values.tags,
    FieldType.OBJECT: values.json_object,
    FieldType.ARR_OBJECT: values.objects,
}


def parse(field: Field, value: object) -> JsonValue:
    """The stored form of a value that is not null."""
    if field is _STATUS:
        return STATUSES.index(status_word(value))
    if field.type is FieldType.ENUM:
        return values.option(field.options, value)
    return _PARSERS[field.type](value)


def match_text(field: Field, value: object) -> str:
    """What a value is searched by: the same text for an int and its decimal string, and for tags in any order."""
    parsed = parse(field, value)
    if field.type is FieldType.TAGS:
        # No tag at all would be carried by everybody.
        if not parsed:
            raise ItemFailed(400, "Incorrect tags")
        return ", ".join(sorted(parsed))
    if field.type is FieldType.DATE:
        return values.instant(parsed)
    return str(parsed)


def status_word(value: object) -> str:
    """A subscription's status by its word or number."""
    return values.option(STATUSES, value)
