"""What a request makes of a trigger campaign, and of what is stored of its account, as the file of `profuse apply` would say it."""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from pydantic import ValidationError

from ingest.endpoints.trigger_parameters import AddTrigger, UpdateTrigger, refused
from ingest.request_errors import Refused, invalid, not_found
from store.configuration.model import Key, Kind, Stored, Values
from store.configuration.parts import Trigger, place, reason_of

# Of an account, by requests; each request reads a row of each.
MOST = 2_000


@dataclass(frozen=True)
class Declared:
    """What is said of a campaign, and what it is until then; nothing else decides about its columns."""

    said: Mapping[str, Any]
    before: Values


@dataclass(frozen=True)
class Made:
    """What came of a declaration: its columns, or why it cannot be."""

    declared: Declared
    outcome: Values | Refused

    def values(self) -> Values:
        if isinstance(self.outcome, Refused):
            raise self.outcome
        return self.outcome


def declare(request: AddTrigger | UpdateTrigger, account: int, stored: Stored) -> tuple[int, Declared]:
    """The campaign's number, and what it is to be; refused where that names what is not there."""
    said = request.declared()
    for kind in (Kind.DATABASE, Kind.RESOURCE):
        named = said.get(kind.value)
        if named is not None and Key(kind, account, named) not in stored.things:
            raise not_found("list_id" if kind is Kind.DATABASE else "resource_id")
    if isinstance(request, UpdateTrigger):
        before = _before(request, account, stored)
        return request.id, Declared({**before, **said}, before)
    numbers = [int(key.id) for key in stored.things if key.kind is Kind.TRIGGER]
    if len(numbers) >= MOST:
        raise invalid(f"an account has at most {MOST:,} trigger campaigns: change one that is not needed any more")
    if "database" not in said:
        said["database"] = _database(said.get("resource"), account, stored)
    return max(numbers, default=0) + 1, Declared(said, {})


def make(number: int, declared: Declared) -> Made:
    """Takes seconds where its HTML is long, which a process of its own converts."""
    try:
        trigger = Trigger.model_validate({"id": number, **declared.said}, context={number: declared.before})
        return Made(declared, trigger.values(declared.before))
    except ValidationError as error:
        first = error.errors(include_url=False)[0]
        return Made(declared, refused(place(*first["loc"]), reason_of(dict(first))))


def _database(resource: int | None, account: int, stored: Stored) -> Any:
    """Where none is named."""
    if resource is not None:
        return stored.things[Key(Kind.RESOURCE, account, resource)]["database"]
    databases = [key.id for key in stored.things if key.kind is Kind.DATABASE]
    if len(databases) != 1:
        raise invalid("list_id: required, for the account has not just one database")
    return databases[0]


def _before(request: UpdateTrigger, account: int, stored: Stored) -> Values:
    found: Mapping[str, Any] | None = stored.things.get(Key(Kind.TRIGGER, account, request.id))
    if found is None:
        raise not_found("id")
    if request.send_channel not in (None, found["channel"]):
        raise invalid(f"send_channel: cannot change from {found['channel']}")
    # An empty text is how none is stored.
    return {name: None if found[name] == "" else found[name] for name in Trigger.model_fields if name in found}
