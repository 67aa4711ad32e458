"""The matching modes: a row says all that is particular to one, and every room reads it here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from schemas.addresses import normal_email, normal_phone
from schemas.channels import CHANNELS
from schemas.fields import Field, MatchValue, match_value, parse
from schemas.identities import of_field, subscribed
from schemas.ids import ResourceNumber, parse_id
from schemas.item_errors import ItemFailed, Why
from schemas.kinds import Identity, Kind
from schemas.values import JsonValue


class Matching(StrEnum):
    """What the modes are called; `resource_id` narrows the subscription side of `EMAIL` and `PHONE`."""

    EMAIL = "email"
    EMAIL_PROFILE = "email_profile"
    PHONE = "phone"
    PROFILE_ID = "profile_id"
    CUSTOM = "custom"


class Own(NamedTuple):
    """The database's own field that is searched by."""

    name: str
    field: Field


@dataclass(frozen=True)
class Mode:
    """One row. `Own` is None but for `custom`."""

    # The parameter of a request, and the key of an item, that holds the value.
    key: str
    # What messages of one value are kept in order by; modes of one kind of value share it.
    order: str
    # The canonical spelling; raises `ItemFailed`.
    normal: Callable[[object, Own | None], MatchValue]
    # Where an item's own profile has it: the field's name, and what that holds.
    held: Callable[[Mapping[str, Any], Own | None], tuple[str, Any]]
    # A profile that holds any of these is a match; the number is the account's own of a resource. None: the value is its id.
    searched: Callable[[str, ResourceNumber | None, Own | None], list[Identity]] | None
    # What a new profile gets besides its data; nobody is created by an id.
    implied: Callable[[MatchValue, Own | None], dict[str, JsonValue]]
    # Whose subscriptions are searched, too; only these a resource narrows.
    channel: str | None = None


def _email(given: object, _: Own | None) -> MatchValue:
    return normal_email(given)


def _phone(given: object, _: Own | None) -> MatchValue:
    return normal_phone(given)


def _id(given: object, _: Own | None) -> MatchValue:
    profile = parse_id(given)
    if profile is None:
        raise ItemFailed(Why.PROFILE_NOT_FOUND)
    return profile.hex()


def _first_phone(data: Mapping[str, Any], _: Own | None) -> tuple[str, Any]:
    phones = data.get("phones")
    return "phones", (phones[0] if phones else None) if isinstance(phones, list) else phones


def _subscribed(channel: str, address: str, resource: ResourceNumber | None) -> list[Identity]:
    kinds = CHANNELS[channel].kinds
    return [] if kinds is None else [subscribed(kinds, address, resource)]


def _own(own: Own | None) -> Own:
    """Of a batch that is matched by a field: it was refused unless it has one."""
    if own is None:
        raise ItemFailed(Why.FIELD_NOT_MATCHED_BY)
    return own


def _custom_held(data: Mapping[str, Any], own: Own | None) -> tuple[str, Any]:
    name = _own(own).name
    return name, data.get(name)


MODES: Mapping[Matching, Mode] = {
    Matching.EMAIL: Mode(
        key="email",
        order="email",
        normal=_email,
        held=lambda data, _: ("email", data.get("email")),
        searched=lambda value, resource, _: [(Kind.EMAIL, value), *_subscribed("email", value, resource)],
        implied=lambda value, _: {"email": value},
        channel="email",
    ),
    Matching.EMAIL_PROFILE: Mode(
        key="email",
        order="email",
        normal=_email,
        held=lambda data, _: ("email", data.get("email")),
        searched=lambda value, _, __: [(Kind.EMAIL, value)],
        implied=lambda value, _: {"email": value},
    ),
    Matching.PHONE: Mode(
        key="phone",
        order="phone",
        normal=_phone,
        held=_first_phone,
        searched=lambda value, resource, _: [(Kind.PHONE, value), *_subscribed("sms", value, resource)],
        implied=lambda value, _: {"phones": [value]},
        channel="sms",
    ),
    Matching.PROFILE_ID: Mode(
        key="profile_id",
        order="id",
        normal=_id,
        held=lambda _, __: ("profile_id", None),
        searched=None,
        implied=lambda _, __: {},
    ),
    Matching.CUSTOM: Mode(
        key="field_value",
        order="field",
        normal=lambda given, own: match_value(_own(own).field, given),
        held=_custom_held,
        searched=lambda value, _, own: [of_field(_own(own).name, value)],
        implied=lambda value, own: {_own(own).name: parse(_own(own).field, value)},
    ),
}
