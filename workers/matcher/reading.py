"""Pure: what a message asks for, before anybody looks at what is stored."""

from collections.abc import Mapping
from dataclasses import dataclass

from schemas.failures import ItemFailed
from schemas.fields import FieldType, parse
from schemas.identities import Identity, Kind, searched, tag_hashes
from schemas.ids import parse_id
from schemas.matching import Matching
from schemas.messages import ProfileImport
from schemas.values import JsonValue, storable
from workers.matcher.batches import Batch
from workers.matcher.importing import Change, Locate, parse_change

Key = tuple[int, Identity]
"""An identity in its database."""

Tags = tuple[int, ...]
"""Hashes of tags that a profile must carry all of; a database's tags have hashes of their own."""

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
    value, name, database = message.value, batch.field_name, batch.database
    item = Item(batch, message.item, change, message.custom_data)
    if address := change.fields.get("email"):
        item.email = database.id, (Kind.EMAIL, address)
    if batch.matching is Matching.PROFILE_ID:
        item.profile = parse_id(value)
        if item.profile is None:
            raise ItemFailed(404, "Profile not found", "profile_id")
        return item
    item.implied = _implied(batch, value)
    if batch.matching is Matching.CUSTOM and name and database.fields[name].type is FieldType.TAGS:
        item.tags = tuple(tag_hashes(database.id, name, value))
    else:
        item.keys = tuple((database.id, identity) for identity in searched(batch.matching, value, batch.resource, name))
    return item


def _implied(batch: Batch, value: str) -> dict[str, JsonValue]:
    """The match value as a field of a new profile."""
    match batch.matching:
        case Matching.EMAIL | Matching.EMAIL_PROFILE:
            return {"email": value}
        case Matching.PHONE:
            return {"phones": [value]}
        case Matching.CUSTOM if batch.field_name:
            return {batch.field_name: parse(batch.database.fields[batch.field_name], value)}
    return {}
