"""What must change for the tables to say what the file says."""

from collections.abc import Iterable, Mapping

from store.configuration.model import BadDeclaration, Change, Key, Kind, Stored, Values, Wanted
from store.configuration.validation import newly_indexed, problems

_RETIRED: Mapping[Kind, Values] = {
    Kind.TOKEN: {"revoked": True},
    Kind.TRIGGER: {"active": False},
    Kind.HOOK: {"active": False},
}


def plan(wanted: Mapping[Key, Wanted], stored: Stored, *, reindexing: bool = False) -> list[Change]:
    """Raises `BadDeclaration` if what is stored does not allow what is wanted."""
    complete = {key: _with_other_fields(key, thing, stored) for key, thing in wanted.items()}
    if found := list(problems(complete, stored, reindexing=reindexing)):
        raise BadDeclaration("\n".join(found))
    return _changes(((key, thing.values) for key, thing in complete.items()), stored)


def prune(wanted: Mapping[Key, Wanted], stored: Stored) -> list[Change]:
    """Retire the tokens, triggers and hooks that the file does not name."""
    return _changes(((key, _RETIRED[key.kind]) for key in stored.things if key not in wanted and key.kind in _RETIRED), stored)


def _with_other_fields(key: Key, thing: Wanted, stored: Stored) -> Wanted:
    """A database keeps the fields that the file does not name."""
    if key.kind is not Kind.DATABASE or key not in stored.things:
        return thing
    fields = {**stored.things[key]["fields"], **thing.values["fields"]}
    return Wanted(thing.path, {**thing.values, "fields": fields})


def _changes(wanted: Iterable[tuple[Key, Values]], stored: Stored) -> list[Change]:
    changes = (_change(key, values, stored.things.get(key)) for key, values in wanted)
    return [change for change in changes if change.values]


def _change(key: Key, wanted: Values, stored: Values | None) -> Change:
    if stored is None:
        return Change(key, wanted, is_new=True)
    values = {name: value for name, value in wanted.items() if stored[name] != value}
    indexed = newly_indexed(values.get("fields", {}), stored.get("fields", {})) if key.kind is Kind.DATABASE else ()
    return Change(key, values, indexed=indexed, is_swept=any(name in stored["fields"] for name in indexed))
