"""The types a profile's field may have: what each accepts, how it is stored, and how it is compared in a search."""

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from types import MappingProxyType
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, model_validator

from schemas import dates, values
from schemas.failures import ItemFailed
from schemas.texts import composed
from schemas.values import JsonValue

# Bytes in UTF-8.
LONGEST_MATCH_VALUE = 1_024
# No character becomes more than 12 bytes.
_SURELY_SHORT = LONGEST_MATCH_VALUE // 12


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


class Declaration(BaseModel):
    """A field as an operator declares it; `"tags"` is short for `{"type": "tags"}`."""

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


class Field(Declaration):
    """A declared field of a database that may have profiles."""

    # Those that were there before are still being filed by it; nobody may search by it yet.
    indexing: bool = False


def declared(fields: Mapping[str, Any], indexing: Iterable[str]) -> dict[str, Field]:
    """A database's fields, by what its tables say of them."""
    unfinished = frozenset(indexing)
    return {name: Field(**Declaration.model_validate(field).model_dump(), indexing=name in unfinished) for name, field in fields.items()}


class _Ruled(Field):
    """A system field whose values follow a rule of their own."""

    rule: Callable[[object], JsonValue]


# A profile's `_status` and a subscription's `status`, by their numbers.
STATUSES = ("subscribed", "unsubscribed", "complained", "hardbounced", "unconfirmed", "suspended", "invalid")


def status_word(value: object) -> str:
    """A subscription's status by its word or number."""
    return values.option(STATUSES, value)


def _status(value: object) -> int:
    return STATUSES.index(status_word(value))


_TEXT = Field(type=FieldType.STRING)
_IP = Field(type=FieldType.IP)

# `email`, `phones` and `subscriptions` follow rules of their own.
SYSTEM_FIELDS: Mapping[str, Field] = MappingProxyType(
    {
        "_fname": _TEXT,
        "_lname": _TEXT,
        "_bdate": _Ruled(type=FieldType.DATE, rule=dates.day),
        "_sex": _Ruled(type=FieldType.ENUM, options=["male", "female"], rule=values.sex),
        "_regdate": Field(type=FieldType.DATE),
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
        "_os": _TEXT,
        "_status": _Ruled(type=FieldType.ENUM, options=list(STATUSES), rule=_status),
    }
)

_PARSERS: Mapping[FieldType, Callable[[object], JsonValue]] = {
    FieldType.INT: values.integer,
    FieldType.FLOAT: values.number,
    FieldType.STRING: values.string,
    FieldType.BOOLEAN: values.boolean,
    FieldType.DATE: dates.date,
    FieldType.IP: values.ip,
    FieldType.TAGS: values.tags,
    FieldType.OBJECT: values.json_object,
    FieldType.ARR_OBJECT: values.objects,
}

MatchValue = str | list[str]
"""What is searched by: sorted tags, else one text."""


def parse(field: Field, value: object) -> JsonValue:
    """The stored form of a value that is not null; None if the value itself says that nothing is known."""
    if isinstance(field, _Ruled):
        return field.rule(value)
    stored = values.option(field.options, value) if field.type is FieldType.ENUM else _PARSERS[field.type](value)
    if field.match:
        _refuse_long(stored)
    return stored


def match_value(field: Field, value: object) -> MatchValue:
    """What a value is searched by: the same for an int and its decimal string, for texts alike, and for tags in any order."""
    stored = parse(field, value)
    if field.type is FieldType.TAGS:
        # No tag at all would be carried by everybody.
        if not stored:
            raise ItemFailed(400, "Incorrect tags")
        _refuse_long(",".join(stored))
        return sorted(stored)
    return search_text(stored)


def search_text(stored: JsonValue) -> str:
    """How a stored value that is no list is compared."""
    return composed(str(stored))


def _refuse_long(stored: JsonValue) -> None:
    """A value that is searched by has a bound, as it is compared; of tags, each has."""
    for text in stored if isinstance(stored, list) else (stored,):
        if isinstance(text, str) and len(text) > _SURELY_SHORT and len(composed(text).encode()) > LONGEST_MATCH_VALUE:
            raise ItemFailed(400, "Match value too long")
