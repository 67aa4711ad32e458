"""Pure: what a message asks for, before anybody looks at what is stored."""

from collections.abc import Mapping
from dataclasses import dataclass

from schemas.failures import ItemFailed
from schemas.fields import Field, MatchValue, match_value, parse
from schemas.identities import Identity, Kind, searched, tagged
from schemas.ids import parse_id
from schemas.matching import Matching
from schemas.messages import ProfileImport
from schemas.values import JsonValue, storable
from workers.matcher.batches import Batch
from workers.matcher.importing import Change, Locate, parse_change

Key = tuple[int, Identity]
"""An identity in its database."""

Tags = tuple[Key, ...]
"""Tags of one database that a profile must carry all of."""

Held = dict[Key | Tags, set[bytes]]
"""Which profiles answer to what is searched by."""


@dataclass(slots=True)
class Item:
    """One profile to import: whom to look for, and what to do with whoever is found."""

    batch: Batch
    number: int
    change: Change
    custom_data: Mapping[str, JsonValue] | None
    # A profile that holds any of these is a match; so is the one of this id, and whoever carries all of these tags.
    keys: tuple[Key, ...] = ()
    profile: bytes | None = None
    tags: Tags | None = None
    # What a new profile gets besides its data.
    implied: Mapping[str, JsonValue] | None = None

    # The e-mail that the data would give somebody.
    email: Key | None = None
    # Profiles that it came to mean because of the items before it: whoever tries again locks them with all others.
    met: tuple[bytes, ...] = ()


@dataclass(slots=True)
class Outcome:
    """How an item ended."""

    batch: Batch
    number: int
    profile: bytes | None = None
    custom_data: Mapping[str, JsonValue] | None = None
    # The fields that changed in a profile that was there before.
    changed: frozenset[str] = frozenset()
    error: ItemFailed | None = None


def read(message: ProfileImport, batch: Batch, locate: Locate) -> Item | Outcome:
    """What the message asks for, or that its item failed."""
    try:
        storable(message.custom_data)
        change = parse_change(message.data, batch, locate)
        return _aimed(message, batch, change)
    except ItemFailed as error:
        return Outcome(batch, message.item, error=error)


def _aimed(message: ProfileImport, batch: Batch, change: Change) -> Item:
    database = batch.database
    item = Item(batch, message.item, change, message.custom_data)
    if address := change.fields.get("email"):
        item.email = database.id, (Kind.EMAIL, address)
    if batch.matching is Matching.PROFILE_ID:
        item.profile = parse_id(message.value)
        if item.profile is None:
            raise ItemFailed(404, "Profile not found", "profile_id")
        return item
    field = _searched_field(batch)
    # A declaration may have moved on, and so may we, while the message waited or lay among the dead letters.
    value = message.value if field is None else match_value(field, message.value)
    item.implied = _implied(batch, field, value)
    if isinstance(value, list):
        item.tags = tuple((database.id, tag) for tag in tagged(str(batch.field_name), value))
    else:
        identities = searched(batch.matching, value, batch.resource, batch.field_name)
        item.keys = tuple((database.id, identity) for identity in identities)
    return item


def _searched_field(batch: Batch) -> Field | None:
    if batch.matching is not Matching.CUSTOM:
        return None
    field = batch.database.fields.get(str(batch.field_name))
    if field is None or not field.match:
        raise ItemFailed(400, "Field is not matched by", batch.field_name)
    return field


def _implied(batch: Batch, field: Field | None, value: MatchValue) -> dict[str, JsonValue]:
    """The match value as a field of a new profile."""
    if field is not None:
        return {str(batch.field_name): parse(field, value)}
    return {"phones": [value]} if batch.matching is Matching.PHONE else {"email": value}
