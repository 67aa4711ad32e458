"""What cannot be brought about, given what is stored."""

from collections import Counter
from collections.abc import Iterator, Mapping

from schemas.system_fields import SPECIAL_FIELDS, SYSTEM_FIELDS
from store.configuration import leaving
from store.configuration.model import Key, Kind, Stored, Values, Wanted

# Profiles, subscriptions and launches that exist belong to these.
_FIXED: Mapping[Kind, tuple[str, ...]] = {
    Kind.RESOURCE: ("channel", "database"),
    Kind.PROVIDER: ("channel",),
    Kind.TRIGGER: ("database",),
}


def problems(wanted: Mapping[Key, Wanted], stored: Stored, *, reindexing: bool) -> Iterator[str]:
    """A line each: the place in the file, and the reason."""
    things = {**stored.things, **{key: thing.values for key, thing in wanted.items()}}
    used = Counter(thing.values.get("hash") for thing in wanted.values())
    for key, thing in wanted.items():
        before = stored.things.get(key, {})
        yield from _moved(key, thing, before)
        match key.kind:
            case Kind.TOKEN:
                yield from _taken(key, thing, used, stored)
            case Kind.DATABASE:
                yield from _changed_types(thing, before)
                if key in stored.populated and not reindexing:
                    yield from _unfiled(thing, before)
            case Kind.RESOURCE:
                yield from _dangling(key, thing, things)
            case Kind.PROVIDER:
                yield from leaving.of_provider(key, thing, things)
            case Kind.TRIGGER:
                yield from _dangling(key, thing, things)
                yield from leaving.of_trigger(key, thing, things)


def _taken(key: Key, thing: Wanted, used: Mapping[bytes | None, int], stored: Stored) -> Iterator[str]:
    hash_ = thing.values.get("hash")
    # Whose it is stays a secret: it may be another account's.
    if hash_ and (used[hash_] > 1 or stored.holders.get(hash_, key) != key):
        yield f"{thing.path}.value: another token has this value; choose a new one"


def _moved(key: Key, thing: Wanted, before: Values) -> Iterator[str]:
    for name in _FIXED.get(key.kind, ()):
        if before and before[name] != thing.values[name]:
            yield f"{thing.path}.{name}: cannot change from {before[name]} to {thing.values[name]}; give the new one another id"


def newly_indexed(fields: Mapping[str, Values], before: Mapping[str, Values]) -> tuple[str, ...]:
    """The fields that profiles were not filed by until now."""
    return tuple(name for name, field in fields.items() if field["match"] and not (name in before and before[name]["match"]))


def _changed_types(thing: Wanted, before: Values) -> Iterator[str]:
    for name, field in thing.values["fields"].items():
        old = before.get("fields", {}).get(name)
        if old is not None and old["type"] != field["type"]:
            yield f"{thing.path}.fields.{name}: the type cannot change from {old['type']} to {field['type']}; declare another field"


def _unfiled(thing: Wanted, before: Values) -> Iterator[str]:
    for name in newly_indexed(thing.values["fields"], before["fields"]):
        yield f"{thing.path}.fields.{name}.match: profiles exist that would not be found by it; `profuse apply --reindex` files them"


def _dangling(key: Key, thing: Wanted, things: Mapping[Key, Values]) -> Iterator[str]:
    values = thing.values
    database = things.get(Key(Kind.DATABASE, key.account, values["database"]))
    if database is None:
        yield f"{thing.path}.database: account {key.account} has no database {values['database']}"
        return
    if values.get("resource") is not None:
        yield from _unfit_resource(key, thing, things)
    if values.get("fields") is not None:
        yield from _unfit_fields(thing, database)


def _unfit_resource(key: Key, thing: Wanted, things: Mapping[Key, Values]) -> Iterator[str]:
    number = thing.values["resource"]
    resource = things.get(Key(Kind.RESOURCE, key.account, number))
    if resource is None:
        yield f"{thing.path}.resource: account {key.account} has no resource {number}"
        return
    for name in ("database", "channel"):
        if resource[name] != thing.values[name]:
            yield f"{thing.path}.resource: {name} of resource {number} is {resource[name]}, the trigger's is {thing.values[name]}"


def _unfit_fields(thing: Wanted, database: Values) -> Iterator[str]:
    if thing.values["type"] != "update":
        yield f"{thing.path}.fields: only a trigger of type update has fields"
    for at, name in enumerate(thing.values["fields"]):
        if name not in database["fields"] and name not in SYSTEM_FIELDS and name not in SPECIAL_FIELDS:
            yield f"{thing.path}.fields[{at}]: the database has no field {name}"
