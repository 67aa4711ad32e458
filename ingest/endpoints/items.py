"""One item of a batch: what it is matched by and what it brings, or why it fails."""

from collections.abc import Mapping
from dataclasses import dataclass
from functools import cached_property
from typing import Any

import msgspec
from msgspec import Raw

from ingest.endpoints.batch_parameters import Item
from ingest.http import parsing
from ingest.http.parsing import SHRINKS, is_storable
from ingest.publish.record import Prepared
from schemas.blanks import is_blank
from schemas.fields import Field, FieldType, MatchValue
from schemas.item_errors import ItemFailed, Why
from schemas.keys import match_key
from schemas.matching import MODES, Matching, Mode, Own

_KEYS = frozenset(Item.model_fields)
# `1e15` grows most when it is written again; nothing grows five times.
_GROWTH = 5


@dataclass(frozen=True)
class Shared:
    """What all items of a batch are matched with."""

    database: int
    matching: Matching
    # The root's, as it is compared, or why no item can use it; None: there is none.
    match_value: MatchValue | ItemFailed | None
    field_name: str | None
    field: Field | None
    item_limit: int
    custom_data_limit: int
    # In small letters: what clients write for a text that they do not have.
    placeholders: frozenset[str] = frozenset()

    @cached_property
    def mode(self) -> Mode:
        return MODES[self.matching]

    @cached_property
    def own(self) -> Own | None:
        return None if self.field is None else Own(str(self.field_name), self.field)


def prepare(raw: Raw, shared: Shared) -> Prepared:
    """Check one item and find its match value; raises `ItemFailed`."""
    if parsing.size(raw) > SHRINKS * shared.item_limit:
        raise ItemFailed(Why.ITEM_TOO_LARGE)
    piece = parsing.piece(raw)
    item = piece.value
    if piece.size * _GROWTH > shared.item_limit and len(msgspec.json.encode(item)) > shared.item_limit:
        raise ItemFailed(Why.ITEM_TOO_LARGE)
    if not piece.storable:
        raise ItemFailed(Why.TEXT_CANNOT_BE_STORED, _unstorable(item))
    if not isinstance(item, dict):
        raise ItemFailed(Why.INCORRECT_OBJECT)
    if unknown := item.keys() - _KEYS:
        raise ItemFailed(Why.UNKNOWN_PARAMETER, min(unknown))
    data, custom_data = item.get("data"), item.get("custom_data")
    if not isinstance(data, dict):
        raise ItemFailed(Why.INCORRECT_OBJECT, "data")
    if custom_data is not None:
        _check_custom_data(custom_data, piece.size, shared.custom_data_limit)
    value = _match_value(item, data, shared)
    return Prepared(_key(shared, value), value, data, custom_data)


def _check_custom_data(custom_data: object, written: int, most: int) -> None:
    if not isinstance(custom_data, dict):
        raise ItemFailed(Why.INCORRECT_OBJECT, "custom_data")
    if written * _GROWTH > most and len(msgspec.json.encode(custom_data)) > most:
        raise ItemFailed(Why.CUSTOM_DATA_TOO_LARGE, "custom_data")


def _unstorable(item: Any) -> str | None:
    """The field of the profile, else the key of the item, that holds the text."""
    data = item.get("data") if isinstance(item, dict) else None
    named = (*(data.items() if isinstance(data, dict) else ()), *(item.items() if isinstance(item, dict) else ()))
    blamed = (name for name, value in named if not is_storable(value))
    # A name that cannot be stored itself cannot be shown either.
    return next((name for name in blamed if is_storable(name)), None)


def normal_value(named: str, given: object, mode: Mode, own: Own | None) -> MatchValue:
    """The match value in its canonical spelling; a failure names what it was given as."""
    try:
        return mode.normal(given, own)
    except ItemFailed as failed:
        raise ItemFailed(failed.why, named) from None


def _match_value(item: Mapping[str, Any], data: Mapping[str, Any], shared: Shared) -> MatchValue:
    """The item's own, else the profile's, else the root's."""
    key = shared.mode.key
    own = item.get(key)
    if not _absent(own):
        if key == "field_value" and type(own) not in (int, str):
            raise ItemFailed(Why.INCORRECT_VALUE, key)
        return _checked_value(key, own, shared)
    name, value = shared.mode.held(data, shared.own)
    if not _absent(value):
        return _checked_value(name, value, shared)
    if shared.match_value is None:
        raise ItemFailed(Why.NO_MATCH_VALUE, key)
    if isinstance(shared.match_value, ItemFailed):
        # One that is raised again and again would keep every item that it failed.
        raise shared.match_value.at(key)
    return shared.match_value


def shared_value(given: int | str | None, shared: Shared) -> MatchValue | ItemFailed | None:
    """The root's match value, looked at once for all items that use it."""
    if given is None:
        return None
    try:
        return _checked_value(shared.mode.key, given, shared)
    except ItemFailed as failed:
        return failed


def _checked_value(name: str, given: object, shared: Shared) -> MatchValue:
    value = normal_value(name, given, shared.mode, shared.own)
    if _is_placeholder(value, shared):
        raise ItemFailed(Why.PLACEHOLDER, name)
    return value


def _absent(value: object) -> bool:
    return value is None or is_blank(value)


def _is_placeholder(value: MatchValue, shared: Shared) -> bool:
    """Strangers who share one would become the same profile, for good."""
    is_text = shared.field is not None and shared.field.type is FieldType.STRING
    return is_text and isinstance(value, str) and value.strip().casefold() in shared.placeholders


def _key(shared: Shared, value: MatchValue) -> bytes:
    order = shared.mode.order
    return match_key(shared.database, order if shared.own is None else f"{order}/{shared.own.name}", value)
