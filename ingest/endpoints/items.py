"""One item of a batch: what it is matched by and what it brings, or why it fails."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec
from msgspec import Raw

from ingest.endpoints.item_shapes import Shape
from ingest.http import parsing
from ingest.http.counting import is_longer
from ingest.http.parsing import SHRINKS, is_storable
from ingest.publish.record import Prepared
from schemas.blanks import is_blank
from schemas.fields import FieldType, MatchValue
from schemas.item_errors import ItemFailed, Why
from schemas.keys import match_key
from schemas.matching import MODES, Matching, Mode, Own, Part

# `1e15` grows most when it is written again; nothing grows five times.
_GROWTH = 5


@dataclass(frozen=True)
class Shared:
    """What all items of a batch are matched with."""

    shape: Shape
    database: int
    matching: Matching
    # The root's, as they are compared, or why no item can use one, by their keys.
    roots: Mapping[str, str | list[str] | ItemFailed]
    # What `field_name` says is searched by.
    own: Own | None
    item_limit: int
    custom_data_limit: int
    # In small letters: what clients write for a text that they do not have.
    placeholders: frozenset[str] = frozenset()

    @cached_property
    def mode(self) -> Mode:
        return MODES[self.matching]


def prepare(raw: Raw, shared: Shared) -> Prepared:
    """Check one item and find its match value; raises `ItemFailed`."""
    if is_longer(raw, SHRINKS * shared.item_limit):
        raise ItemFailed(Why.ITEM_TOO_LARGE)
    piece = parsing.piece(raw)
    item = piece.value
    if piece.size * _GROWTH > shared.item_limit and len(msgspec.json.encode(item)) > shared.item_limit:
        raise ItemFailed(Why.ITEM_TOO_LARGE)
    if not piece.storable:
        raise ItemFailed(Why.TEXT_CANNOT_BE_STORED, _unstorable(item, shared.shape))
    if not isinstance(item, dict):
        raise ItemFailed(Why.INCORRECT_OBJECT)
    keys, data, custom_data = shared.shape.parted(item)
    if not isinstance(data, dict):
        raise ItemFailed(Why.INCORRECT_OBJECT, "data")
    if custom_data is not None:
        _check_custom_data(custom_data, piece.size, shared.custom_data_limit)
    value = _match_value(keys, data, shared)
    return Prepared(_key(shared, value), value, data, custom_data)


def _check_custom_data(custom_data: object, written: int, most: int) -> None:
    if not isinstance(custom_data, dict):
        raise ItemFailed(Why.INCORRECT_OBJECT, "custom_data")
    if written * _GROWTH > most and len(msgspec.json.encode(custom_data)) > most:
        raise ItemFailed(Why.CUSTOM_DATA_TOO_LARGE, "custom_data")


def _unstorable(item: Any, shape: Shape) -> str | None:
    """The field of the profile, else the key of the item, that holds the text."""
    named = (*shape.profile_of(item).items(), *(item.items() if isinstance(item, dict) else ()))
    blamed = (name for name, value in named if not is_storable(value))
    # A name that cannot be stored itself cannot be shown either.
    return next((name for name in blamed if is_storable(name)), None)


def normal_value(named: str, given: object, part: Part, own: Own | None) -> str | list[str]:
    """The match value in its canonical spelling; a failure names what it was given as."""
    try:
        return part.normal(given, own)
    except ItemFailed as failed:
        raise ItemFailed(failed.why, named) from None


def _match_value(item: Mapping[str, Any], data: Mapping[str, Any], shared: Shared) -> MatchValue:
    found = {}
    for part in shared.mode.parts:
        value = _part(part, item, data, shared)
        if value is not None:
            found[part.key] = value
    return shared.mode.together(found)


def _part(part: Part, item: Mapping[str, Any], data: Mapping[str, Any], shared: Shared) -> str | list[str] | None:
    """The item's own, else the profile's, else the root's; a profile that comes alone has the root's as its own."""
    key = part.key
    own = item.get(key)
    if not _absent(own):
        if key == "field_value" and type(own) not in (int, str):
            raise ItemFailed(Why.INCORRECT_VALUE, key)
        return _checked_value(key, own, part, shared)
    root = shared.roots.get(key)
    if root is None or not shared.shape.owns_root:
        name, value = part.held(data, shared.own)
        if not _absent(value):
            return _checked_value(name, value, part, shared)
    if isinstance(root, ItemFailed):
        # One that is raised again and again would keep every item that it failed.
        raise root.at(key)
    return root


def root_values(given: Mapping[str, int | str], shared: Shared) -> dict[str, str | list[str] | ItemFailed]:
    """The root's match values, looked at once for all items that use them."""
    return {part.key: _root_value(given[part.key], part, shared) for part in shared.mode.parts if part.key in given}


def _root_value(given: int | str, part: Part, shared: Shared) -> str | list[str] | ItemFailed:
    try:
        return _checked_value(part.key, given, part, shared)
    except ItemFailed as failed:
        return failed


def _checked_value(name: str, given: object, part: Part, shared: Shared) -> str | list[str]:
    value = normal_value(name, given, part, shared.own)
    if _is_placeholder(value, shared):
        raise ItemFailed(Why.PLACEHOLDER, name)
    return value


def _absent(value: object) -> bool:
    return value is None or is_blank(value)


def _is_placeholder(value: str | list[str], shared: Shared) -> bool:
    """Strangers who share one would become the same profile, for good."""
    is_text = shared.own is not None and shared.own.field.type is FieldType.STRING
    return is_text and isinstance(value, str) and value.strip().casefold() in shared.placeholders


def _key(shared: Shared, value: MatchValue) -> bytes:
    return match_key(shared.database, *shared.mode.ordered(value, shared.own))
