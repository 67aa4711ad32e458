"""Pure: what a message asks for, before anybody looks at what is stored."""

from collections.abc import Mapping
from dataclasses import dataclass

from schemas.fields import FieldType, MatchValue, search_text
from schemas.identities import tagged
from schemas.ids import parse_id
from schemas.item_errors import ItemFailed, Why
from schemas.kinds import Key, Kind
from schemas.matching import Mode, Own
from schemas.messages import ProfileImport
from schemas.values import JsonValue, storable
from workers.matcher.batches import Batch
from workers.matcher.change import Change, Locate, parse_change

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
    # What a new profile gets besides its data; None: nobody is created.
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
    # The profile's, as the item left it.
    email: str | None = None
    # The fields that changed in a profile that was there before.
    changed: frozenset[str] = frozenset()
    error: ItemFailed | None = None


def read(message: ProfileImport, batch: Batch, locate: Locate) -> Item | Outcome:
    """What the message asks for, or that its item failed."""
    try:
        storable(message.custom_data)
        change = parse_change(message.data, batch, locate) if batch.kind.imports else Change({})
        return _aimed(message, batch, change)
    except ItemFailed as error:
        return Outcome(batch, message.item, error=error)


def _aimed(message: ProfileImport, batch: Batch, change: Change) -> Item:
    database = batch.database
    item = Item(batch, message.item, change, message.custom_data)
    if address := change.fields.get("email"):
        item.email = database.id, (Kind.EMAIL, address)
    mode = batch.mode
    if mode.searched is None:
        item.profile = parse_id(message.value)
        if item.profile is None:
            raise ItemFailed(Why.PROFILE_NOT_FOUND, mode.key)
        return item
    own = mode.own(batch.field_name, database.fields)
    value = message.value if own is None else _as_taken_now(message.value, mode, own)
    item.implied = mode.implied(value, own) if batch.creates else None
    if isinstance(value, list):
        item.tags = tuple((database.id, tag) for tag in tagged(str(batch.field_name), value))
    else:
        item.keys = tuple((database.id, identity) for identity in mode.searched(value, batch.resource, own))
    return item


def _as_taken_now(value: MatchValue, mode: Mode, own: Own) -> MatchValue:
    """A declaration may have moved on, and so may we, while the message waited or lay among the dead letters."""
    # The text of an option that was retired may be another one's ordinal.
    if own.field.type is FieldType.ENUM and value not in [search_text(option) for option in own.field.options]:
        raise ItemFailed(Why.INCORRECT_OPTION, mode.key)
    try:
        return mode.parts[0].normal(value, own)
    except ItemFailed as failed:
        raise failed.at(mode.key) from None
