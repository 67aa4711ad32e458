"""The types a profile's field may have: what each accepts, how it is stored, and how it is compared in a search."""

from collections.abc import Callable, Iterable, Mapping
from enum import StrEnum
from functools import cached_property, partial
from typing import Any, Self

from pydantic import BaseModel, ConfigDict, model_validator

from schemas import dates, values
from schemas.blanks import composed
from schemas.item_errors import ItemFailed, Why
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
        if any("\0" in option for option in self.options):
            raise ValueError("an option holds a NUL, which cannot be stored")
        return self


class Field(Declaration):
    """A declared field of a database that may have profiles."""

    # Those that were there before are still being filed by it; nobody may search by it yet.
    indexing: bool = False

    @cached_property
    def parser(self) -> Callable[[object], JsonValue]:
        """Makes the stored form of a value, as `parse` says."""
        plain = partial(values.option, self.options) if self.type is FieldType.ENUM else _PARSERS[self.type]
        bound = _BOUNDS.get(self.type) if self.match else None
        return plain if bound is None else lambda value: bound(plain(value))


def declared(fields: Mapping[str, Any], indexing: Iterable[str]) -> dict[str, Field]:
    """A database's fields, by what its tables say of them."""
    unfinished = frozenset(indexing)
    return {name: Field(**Declaration.model_validate(field).model_dump(), indexing=name in unfinished) for name, field in fields.items()}


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


def bounded(text: str) -> str:
    if len(text) > _SURELY_SHORT and len(composed(text).encode()) > LONGEST_MATCH_VALUE:
        raise ItemFailed(Why.MATCH_VALUE_TOO_LONG)
    return text


# What is searched by has a bound, as it is compared; of tags, each has. The other types have one anyway.
_BOUNDS: Mapping[FieldType, Callable[[Any], JsonValue]] = {
    FieldType.STRING: bounded,
    FieldType.TAGS: lambda tags: [bounded(tag) for tag in tags],
}

MatchValue = str | list[str] | dict[str, str]
"""What is searched by: one text; sorted tags; or several values by their keys."""


def parse(field: Field, value: object) -> JsonValue:
    """The stored form of a value that is not null; None if the value itself says that nothing is known."""
    return field.parser(value)


def match_value(field: Field, value: object) -> str | list[str]:
    """What a value is searched by: the same for texts alike, for tags in any order, and for an int and its text where both are taken."""
    stored = parse(field, value)
    if field.type is FieldType.TAGS:
        # No tag at all would be carried by everybody.
        if not stored:
            raise ItemFailed(Why.INCORRECT_TAGS)
        bounded(",".join(stored))
        return sorted(stored)
    return search_text(stored)


def search_text(stored: JsonValue) -> str:
    """How a stored value that is no list is compared."""
    return composed(str(stored))
