"""Pure: what an item's `data` does to a profile, whichever it may be."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass

from schemas.addresses import normal_email, normal_phone
from schemas.failures import ItemFailed
from schemas.fields import parse
from schemas.values import JsonValue, storable
from workers.matcher.batches import Batch, Database
from workers.matcher.subscribing import Given, parse_subscriptions

Location = dict[str, str]
"""Some of country, region, city, postal_code and tz."""

Locate = Callable[[str], Location]
"""Where an IP address is; one that nobody knows is nowhere, `{}`."""

_CURRENT = {"country": "_country", "region": "_region", "city": "_city", "postal_code": "_postal_code", "tz": "_tz"}
_REGISTRATION = {"country": "_regcountry", "city": "_regcity"}
_ACTION = frozenset({"action", "value", "submatch"})


@dataclass(slots=True)
class Change:
    """Fields with their new values, None for one that is unset, and the subscriptions given."""

    fields: Mapping[str, JsonValue]
    subscriptions: Given | None = None


def parse_change(data: Mapping[str, JsonValue], batch: Batch, locate: Locate) -> Change:
    """Raises `ItemFailed`, naming the field."""
    database = batch.database
    fields: dict[str, JsonValue] = {}
    subscriptions = None
    for name, value in data.items():
        if name not in database.known and not _is_kept(name, database):
            continue
        try:
            if type(value) is dict:
                _refuse_action(value)
            if name == "subscriptions":
                skip_invalid = batch.skip_invalid_subscriptions
                subscriptions = parse_subscriptions(value, database.resources, skip_invalid=skip_invalid)
            else:
                fields[name] = _parsed(name, value, database)
        except ItemFailed as failed:
            raise failed.at(name) from None
    if batch.detect_geo:
        fields |= {name: value for name, value in _whereabouts(fields, locate).items() if name not in data}
    return Change(fields, subscriptions)


def _is_kept(name: str, database: Database) -> bool:
    """What becomes of a field that nobody declared."""
    # A name that cannot be stored cannot be shown in an error either.
    storable(name)
    if database.unknown_fields == "reject":
        raise ItemFailed(400, "Unknown field", name)
    return database.unknown_fields == "keep"


def _refuse_action(value: dict[str, JsonValue]) -> None:
    if "action" in value and value.keys() <= _ACTION:
        raise ItemFailed(400, "Functional updates are not supported yet")


def _parsed(name: str, value: JsonValue, database: Database) -> JsonValue:
    if name == "email":
        return normal_email(value)
    if value is None:
        return None
    if name == "phones":
        return _phones(value)
    field = database.known.get(name)
    return storable(value) if field is None else parse(field, value)


def _phones(value: JsonValue) -> list[str]:
    return list(dict.fromkeys(map(normal_phone, value if isinstance(value, list) else [value])))


def _whereabouts(fields: Mapping[str, JsonValue], locate: Locate) -> dict[str, JsonValue]:
    """Location fields for the item's own addresses; without `_ip` the one of registration is the current one too."""
    registered = locate(fields["_regip"]) if fields.get("_regip") else {}
    current = locate(fields["_ip"]) if fields.get("_ip") else registered
    found = {_CURRENT[part]: text for part, text in current.items()}
    return found | {_REGISTRATION[part]: text for part, text in registered.items() if part in _REGISTRATION}
