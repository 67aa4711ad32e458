"""Pure: from a row to a profile: which column is which field, and how its text is read."""

import difflib
import json
from collections import Counter
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, replace
from typing import Any

from profuse.importing.table import ERROR, LINE, is_ours
from profuse_client.encoding import Item
from runtime.errors import CannotRun
from schemas.system_fields import SPECIAL_FIELDS, SYSTEM_FIELDS

_CUSTOM_DATA = "custom_data."
_TRUE, _FALSE = ("true", "yes", "1"), ("false", "no", "0")
_JSON_TYPES = frozenset({"object", "arr_object", "arr_string"})
# What every database has.
_SYSTEM_TYPES = {**{name: field.type.value for name, field in SYSTEM_FIELDS.items()}, **SPECIAL_FIELDS}


class Unreadable(Exception):
    """A text is none of its field's type."""


@dataclass(frozen=True)
class Mapped:
    """What each column gives; one that is not here is the field of its name. `types` are the fields', of the database as of the system."""

    fields: Mapping[str, str]
    types: Mapping[str, str]
    # The keys that may stand beside a profile, as `custom_data` may then; None: nothing may.
    beside: Collection[str] | None

    def item(self, values: Mapping[str, Any]) -> Item:
        """Raises `Unreadable`."""
        data: dict[str, Any] = {}
        keys: dict[str, Any] = {}
        custom_data: dict[str, Any] = {}
        for column, value in values.items():
            field = self._field(column)
            if not field:
                continue
            into, name = data, field
            if self.beside is not None and field.startswith(_CUSTOM_DATA):
                into, name = custom_data, field.removeprefix(_CUSTOM_DATA)
            elif self.beside is not None and field in self.beside and field not in self.types:
                into = keys
            # Columns that are known beforehand are looked at once; a row of NDJSON has whatever it has.
            if name in into:
                raise Unreadable(self._twice(field, values))
            into[name] = self._read(field, value) if into is data else value
        return Item(data, custom_data or None, keys)

    def _field(self, column: str) -> str:
        return self.fields.get(column, "" if is_ours(column) else column)

    def _twice(self, field: str, columns: Iterable[str]) -> str:
        return f"{' and '.join(repr(column) for column in columns if self._field(column) == field)} are both the field {field!r}"

    def _read(self, field: str, value: Any) -> Any:
        """A cell as its field takes it: only text can be meant otherwise."""
        kind = self.types.get(field)
        if not isinstance(value, str):
            return value
        if kind == "boolean":
            return _boolean(field, value)
        if kind in _JSON_TYPES and value.lstrip()[:1] in ("{", "["):
            try:
                return json.loads(value)
            except (ValueError, RecursionError) as error:
                raise Unreadable(f"{field}: not JSON: {error}") from None
        return value


def mapped(columns: Sequence[str] | None, given: Mapping[str, str], types: Mapping[str, str], *, beside: Collection[str] | None) -> Mapped:
    """Raises `CannotRun` if what is given does not fit the columns, or these do not fit the fields, as far as either are known.

    Without `types` nobody knows what fields the database has of its own.
    """
    found = Mapped(given, types or _SYSTEM_TYPES, beside)
    if columns is not None:
        _check_given(columns, given)
        found = replace(found, fields={column: given.get(column, "" if is_ours(column) else column) for column in columns})
        _check_once(found.fields)
        _check_hashes(found, given)
    for column, field in found.fields.items():
        if field and types and not _is_known(field, found):
            raise CannotRun(_unknown(column, field, types))
    return found


def pairs(given: Sequence[str]) -> dict[str, str]:
    """Of `--map`; the last equals sign separates, because a field's name has none."""
    parted = [each.rpartition("=") for each in given]
    wrong = next((each for each, (column, _, _) in zip(given, parted, strict=True) if not column), None)
    if wrong is not None:
        raise CannotRun(f"--map {wrong!r} names no field: write COLUMN=FIELD, or COLUMN= to leave the column out.")
    return {column.strip(): field.strip() for column, _, field in parted}


def _check_given(columns: Sequence[str], given: Mapping[str, str]) -> None:
    for column in given:
        if column not in columns:
            close = difflib.get_close_matches(column, columns, n=1)
            known = f"did you mean {close[0]!r}?" if close else f"there are {', '.join(map(repr, columns))}."
            raise CannotRun(f"No column is called {column!r}: {known}")


def _check_once(fields: Mapping[str, str]) -> None:
    several = next((field for field, count in Counter(fields.values()).items() if field and count > 1), None)
    if several is not None:
        named = [column for column, field in fields.items() if field == several]
        told = " and ".join(map(repr, named))
        raise CannotRun(f"The columns {told} are all the field {several!r}: leave all but one out, as in --map '{named[-1]}='")


def _check_hashes(found: Mapped, given: Mapping[str, str]) -> None:
    """A header may begin with a hash as a whole: its first column would be lost without a word."""
    for column in filter(is_ours, found.fields):
        meant = column.lstrip("#").strip()
        # Our own are named as fields may be.
        is_left_out = column in given or column in (ERROR, LINE) or meant in found.fields.values()
        if not is_left_out and _is_known(meant, found):
            ways = f"say that it is the field (--map '{column}={meant}'), or leave it out (--map '{column}=')."
            raise CannotRun(f"The column {column!r} begins with #, and what does so is no field: {ways}")


def _is_known(field: str, found: Mapped) -> bool:
    return field in found.types or (found.beside is not None and (field in found.beside or field.startswith(_CUSTOM_DATA)))


def untold(columns: Sequence[str] | None, found: Mapped) -> str:
    """The fields of which nobody knows what they take, where the database is not known; nothing if there are none."""
    if columns is None:
        return "the database's own fields"
    return " and ".join(repr(field) for field in found.fields.values() if field and not _is_known(field, found))


def _unknown(column: str, field: str, types: Mapping[str, str]) -> str:
    close = difflib.get_close_matches(field, types, n=1)
    name = close[0] if close else "FIELD"
    return f"The database has no field {field!r}: say which one it is (--map '{column}={name}'), or leave it out (--map '{column}=')."


def _boolean(field: str, text: str) -> bool:
    word = text.strip().lower()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise Unreadable(f"{field}: {text!r} is neither true nor false")
