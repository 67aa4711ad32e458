"""Pure: from a row to a profile: which column is which field, and how its text is read."""

import difflib
import json
from collections import Counter
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from profuse.importing.table import is_ours
from profuse_client.encoding import Item
from runtime.errors import CannotRun

# What stands beside a profile, and not in it.
_KEYS = frozenset({"profile_id", "phone", "field_value", "provider", "subscription_id"})
_CUSTOM_DATA = "custom_data."
_TRUE, _FALSE = ("true", "yes", "1"), ("false", "no", "0")
_JSON_TYPES = frozenset({"object", "arr_object", "arr_string"})


class Unreadable(Exception):
    """A text is none of its field's type."""


@dataclass(frozen=True)
class Mapped:
    """What each column gives; those that give nothing are not here. `types` are the fields', as far as they are known."""

    fields: Mapping[str, str]
    types: Mapping[str, str]
    # Whether keys and `custom_data` may stand beside a profile.
    beside: bool

    def item(self, values: Mapping[str, Any]) -> Item:
        """Raises `Unreadable`; what no column was known of beforehand, as in NDJSON, is called as it is."""
        data: dict[str, Any] = {}
        keys: dict[str, Any] = {}
        custom_data: dict[str, Any] = {}
        for column, value in values.items():
            field = self.fields.get(column, column)
            if self.beside and field.startswith(_CUSTOM_DATA):
                custom_data[field.removeprefix(_CUSTOM_DATA)] = value
            elif self.beside and field in _KEYS and field not in self.types:
                keys[field] = value
            elif field:
                data[field] = self._read(field, value)
        return Item(data, custom_data or None, keys)

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


def mapped(columns: Sequence[str] | None, given: Mapping[str, str], types: Mapping[str, str], *, beside: bool) -> Mapped:
    """Raises `CannotRun` if what is given does not fit the columns, or these do not fit the fields, if those are known."""
    if columns is None:
        return Mapped(given, types, beside)
    _check_given(columns, given)
    fields = {column: "" if is_ours(column) else given.get(column, column) for column in columns}
    several = next((field for field, count in Counter(fields.values()).items() if field and count > 1), None)
    if several is not None:
        named = " and ".join(repr(column) for column, field in fields.items() if field == several)
        raise CannotRun(f"The columns {named} are all the field {several!r}: leave all but one out, as in --map {several}=")
    for column, field in fields.items():
        if field and types and field not in types and not (beside and (field in _KEYS or field.startswith(_CUSTOM_DATA))):
            raise CannotRun(_unknown(column, field, types))
    return Mapped(fields, types, beside)


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


def _unknown(column: str, field: str, types: Mapping[str, str]) -> str:
    close = difflib.get_close_matches(field, types, n=1)
    name = close[0] if close else "FIELD"
    return f"The database has no field {field!r}: say which one it is (--map '{column}={name}'), or leave it out (--map '{column}=')."


def _boolean(field: str, text: str) -> bool:
    word = text.strip().lower()
    if word in _TRUE or word in _FALSE:
        return word in _TRUE
    raise Unreadable(f"{field}: {text!r} is neither true nor false")
