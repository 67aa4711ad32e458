"""Pure: functional updates, values that change what is stored instead of replacing it. A row of `_MAKERS` is what a type can do.

Each is read once, when its item is, and applied in the order of the items.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Protocol

import msgspec

from schemas import values
from schemas.actions import has_the_form, is_update
from schemas.fields import Field, FieldType
from schemas.item_errors import ItemFailed, Why
from schemas.levels import LEVELS
from schemas.same import canonical
from schemas.values import JsonValue, storable
from workers.matcher.bounds import LARGEST_PROFILE


class Update(Protocol):
    """What becomes of a stored value; None is one that is not there."""

    def applied(self, stored: JsonValue) -> JsonValue:
        """Raises `ItemFailed` if what is stored is of another type, as it may be since it was declared."""
        ...


@dataclass(frozen=True)
class Unset:
    def applied(self, _: JsonValue) -> JsonValue:
        return None


@dataclass(frozen=True)
class Increment:
    by: Any
    number: Callable[[object], Any]

    def applied(self, stored: JsonValue) -> JsonValue:
        return self.number(self.number(0 if stored is None else stored) + self.by)


@dataclass(frozen=True)
class AddTags:
    tags: list[str]
    read: Callable[[object], Any]

    def applied(self, stored: JsonValue) -> JsonValue:
        return list(dict.fromkeys([*self.read(stored or []), *self.tags]))


@dataclass(frozen=True)
class DeleteTags:
    tags: list[str]
    read: Callable[[object], Any]

    def applied(self, stored: JsonValue) -> JsonValue:
        gone = frozenset(self.tags)
        return None if stored is None else [tag for tag in self.read(stored) if tag not in gone]


@dataclass(frozen=True)
class AddObjects:
    objects: list[JsonValue]

    def applied(self, stored: JsonValue) -> JsonValue:
        return [*values.objects(stored or []), *self.objects]


@dataclass(frozen=True)
class DeleteObjects:
    objects: list[JsonValue]

    def applied(self, stored: JsonValue) -> JsonValue:
        if stored is None:
            return None
        gone = {canonical(each) for each in self.objects}
        return [each for each in values.objects(stored) if canonical(each) not in gone]


@dataclass(frozen=True)
class Upsert:
    path: tuple[str, ...]
    value: JsonValue

    def applied(self, stored: JsonValue) -> JsonValue:
        return _placed(values.json_object(stored or {}), self.path, self.value)


@dataclass(frozen=True)
class UpsertInEach:
    path: tuple[str, ...]
    value: JsonValue

    def applied(self, stored: JsonValue) -> JsonValue:
        if stored is None:
            return None
        held = values.objects(stored)
        hit = [_has(each, self.path) for each in held]
        # By reference many take no more memory than one does; whoever writes them has all of them.
        if len(msgspec.json.encode(self.value)) * sum(hit) > LARGEST_PROFILE:
            raise ItemFailed(Why.PROFILE_TOO_LARGE)
        return [_placed(each, self.path, self.value) if has else each for each, has in zip(held, hit, strict=True)]


def word_of(value: Mapping[str, JsonValue], field: Field | None) -> str | None:
    """The action that a value names; None if it is a value like any other, as only an object or a field without a type may be."""
    if is_update(value):
        return str(value["action"])
    if not has_the_form(value):
        return None
    if field is None or field.type is FieldType.OBJECT:
        return None
    raise ItemFailed(Why.INCORRECT_ACTION)


def read(word: str, value: Mapping[str, JsonValue], field: Field | None) -> Update:
    """Any but `set` and `unset`; raises `ItemFailed`."""
    make = None if field is None else _MAKERS.get((word, field.type))
    if make is None or field is None or value.get("value") is None:
        raise ItemFailed(Why.INCORRECT_ACTION)
    return make(value, field)


def _path(value: Mapping[str, JsonValue]) -> tuple[str, ...]:
    """Names parted by dots."""
    written = value.get("submatch")
    if not isinstance(written, str):
        raise ItemFailed(Why.INCORRECT_ACTION)
    path = tuple(str(storable(written)).split("."))
    # Each name is a call inside the one before it, and no profile is so deep.
    if not all(path) or len(path) > LEVELS:
        raise ItemFailed(Why.INCORRECT_ACTION)
    return path


def _placed(held: Mapping[str, JsonValue], path: tuple[str, ...], value: JsonValue) -> dict[str, JsonValue]:
    """A copy: the item may yet fail."""
    name, *rest = path
    inner = held.get(name)
    return {**held, name: _placed(inner if isinstance(inner, dict) else {}, tuple(rest), value) if rest else value}


def _has(held: JsonValue, path: tuple[str, ...]) -> bool:
    for name in path:
        if not isinstance(held, dict) or name not in held:
            return False
        held = held[name]
    return True


_MAKERS: Mapping[tuple[str, FieldType], Callable[[Mapping[str, JsonValue], Field], Update]] = {
    ("incr", FieldType.INT): lambda given, _: Increment(values.integer(given["value"]), values.integer),
    ("incr", FieldType.FLOAT): lambda given, _: Increment(values.number(given["value"]), values.number),
    ("add", FieldType.TAGS): lambda given, field: AddTags(field.parser(given["value"]), field.parser),
    ("delete", FieldType.TAGS): lambda given, field: DeleteTags(field.parser(given["value"]), field.parser),
    ("add", FieldType.ARR_OBJECT): lambda given, _: AddObjects(values.objects(given["value"])),
    ("delete", FieldType.ARR_OBJECT): lambda given, _: DeleteObjects(values.objects(given["value"])),
    ("upsert", FieldType.OBJECT): lambda given, _: Upsert(_path(given), storable(given["value"])),
    ("upsert", FieldType.ARR_OBJECT): lambda given, _: UpsertInEach(_path(given), storable(given["value"])),
}
