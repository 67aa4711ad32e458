"""Pure: what an item's `data` does to a profile, whichever it may be."""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field

from schemas.ids import parse_id
from schemas.item_errors import ItemFailed, Why
from schemas.values import JsonValue, storable
from workers.matcher import updates
from workers.matcher.batches import Batch, Database
from workers.matcher.subscribing import Given, parse_subscriptions
from workers.matcher.updates import Update

Location = dict[str, str]
"""Some of country, region, city, postal_code and tz."""

Locate = Callable[[str], Location]
"""Where an IP address is; one that nobody knows is nowhere, `{}`."""

_CURRENT = {"country": "_country", "region": "_region", "city": "_city", "postal_code": "_postal_code", "tz": "_tz"}
_REGISTRATION = {"country": "_regcountry", "city": "_regcity"}
# Null, which clients write for what they do not have, unsets anything else.
_NEVER_UNSET = frozenset({"_id", "email", "subscriptions"})


@dataclass(slots=True)
class Change:
    """Fields with their new values, None for one that is unset, and the subscriptions given."""

    fields: dict[str, JsonValue]
    # Of other fields than these.
    updates: dict[str, Update] = field(default_factory=dict)
    subscriptions: Sequence[Given] | None = None
    # Those that the profile has, before any that are given.
    forgets_subscriptions: bool = False
    # Whom the data says it belongs to: what was read of a profile can be imported again, into no other.
    profile: bytes | None = None


def parse_change(data: Mapping[str, JsonValue], batch: Batch, locate: Locate) -> Change:
    """Raises `ItemFailed`, naming the field."""
    change = Change({})
    parsers = batch.database.parsers
    for name, value in data.items():
        # Nearly all are set, and to values that are only to be parsed.
        parser = None if value is None or type(value) is dict else parsers.get(name)
        if parser is None and name not in batch.database.known and not _is_kept(name, batch.database):
            continue
        try:
            if parser is None:
                _add(change, name, value, batch)
            else:
                change.fields[name] = parser(value)
        except ItemFailed as failed:
            raise failed.at(name) from None
    if batch.detect_geo:
        found = _whereabouts(change.fields, locate)
        change.fields |= {name: value for name, value in found.items() if name not in data}
    return change


def _is_kept(name: str, database: Database) -> bool:
    """What becomes of a field that nobody declared."""
    # A name that cannot be stored cannot be shown in an error either.
    storable(name)
    # A name that begins with an underscore may be the system's one day.
    if database.unknown_fields == "reject" or (database.unknown_fields == "keep" and name.startswith("_")):
        raise ItemFailed(Why.UNKNOWN_FIELD, name)
    return database.unknown_fields == "keep"


def _add(change: Change, name: str, value: JsonValue, batch: Batch) -> None:
    known = batch.database.known.get(name)
    word = updates.word_of(value, known) if type(value) is dict else None
    if word is None:
        _set(change, name, value, batch)
    elif word == "set" and "value" in value:
        _set(change, name, value["value"], batch)
    elif word == "unset" and name == "subscriptions":
        change.forgets_subscriptions = True
    elif word == "unset" and name not in _NEVER_UNSET:
        change.fields[name] = None
    else:
        change.updates[name] = updates.read(word, value, known)


def _set(change: Change, name: str, value: JsonValue, batch: Batch) -> None:
    if value is None:
        if name not in _NEVER_UNSET:
            change.fields[name] = None
    elif name == "_id":
        change.profile = _id(value)
    elif name == "subscriptions":
        skip_invalid = batch.skip_invalid_subscriptions
        found_by = batch.found_by
        change.subscriptions = parse_subscriptions(value, batch.database.resources, skip_invalid=skip_invalid, found_by=found_by)
    else:
        change.fields[name] = _parsed(name, value, batch.database)


def _id(value: JsonValue) -> bytes:
    profile = parse_id(value)
    if profile is None:
        raise ItemFailed(Why.INCORRECT_ID)
    return profile


def _parsed(name: str, value: JsonValue, database: Database) -> JsonValue:
    parser = database.parsers.get(name)
    return storable(value) if parser is None else parser(value)


def _whereabouts(fields: Mapping[str, JsonValue], locate: Locate) -> dict[str, JsonValue]:
    """Location fields for the item's own addresses; without `_ip` the one of registration is the current one too."""
    registered = locate(fields["_regip"]) if fields.get("_regip") else {}
    current = locate(fields["_ip"]) if fields.get("_ip") else registered
    found = {_CURRENT[part]: text for part, text in current.items()}
    return found | {_REGISTRATION[part]: text for part, text in registered.items() if part in _REGISTRATION}
