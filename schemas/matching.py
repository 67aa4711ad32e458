"""The matching modes: a row says all that is particular to one, and every room reads it here."""

from collections.abc import Callable, Mapping
from dataclasses import dataclass
from enum import StrEnum
from typing import Any, NamedTuple

from schemas.actions import is_update
from schemas.addresses import normal_email, normal_phone
from schemas.channels import CHANNELS, CUSTOM, EMAIL, MEMBERS, PUSH, SMS, Kinds, member_address
from schemas.fields import Field, FieldType, MatchValue, bounded, match_value, parse
from schemas.identities import address_of, of_field, subscribed
from schemas.ids import ResourceNumber, parse_id
from schemas.item_errors import ItemFailed, Why
from schemas.kinds import Identity, Kind
from schemas.values import JsonValue, string


class Matching(StrEnum):
    """What the modes are called; `resource_id` narrows the subscription side of those that have one."""

    EMAIL = "email"
    EMAIL_PROFILE = "email_profile"
    EMAIL_SUB = "email_sub"
    PHONE = "phone"
    PHONE_SUB = "phone_sub"
    EMAIL_PHONE = "email_phone"
    EMAIL_PHONE_SUB = "email_phone_sub"
    PUSH_SUB = "push_sub"
    PROFILE_ID = "profile_id"
    CUSTOM = "custom"
    CUSTOM_SUB = "custom_sub"


class Own(NamedTuple):
    """What `field_name` says is searched by: the database's own field, or a member of subscriptions."""

    name: str
    field: Field


@dataclass(frozen=True)
class Part:
    """One value of those that a mode searches by."""

    # The parameter of a request, and the key of an item, that holds it.
    key: str
    # The canonical spelling; raises `ItemFailed`.
    normal: Callable[[object, Own | None], str | list[str]]
    # Where an item's own profile has it: the field's name, and what that holds.
    held: Callable[[Mapping[str, Any], Own | None], tuple[str, Any]]


@dataclass(frozen=True)
class Mode:
    """One row. `Own` is None where nothing is named; a match value of several parts is known by their keys."""

    parts: tuple[Part, ...]
    # What messages of one value are kept in order by, and the value there; modes of one kind of value share it.
    ordered: Callable[[Any, Own | None], tuple[str, str | list[str]]]
    # A profile that holds any of these is a match; the number is the account's own of a resource. None: the value is its id.
    searched: Callable[[Any, ResourceNumber | None, Own | None], list[Identity]] | None
    # What a new profile gets besides its data; nobody is created by an id.
    implied: Callable[[Any, Own | None], dict[str, JsonValue]] = lambda _, __: {}
    # What `field_name` stands for, or None if nothing is found by that; a mode without it needs no name.
    named: Callable[[str, Mapping[str, Field]], Own | None] | None = None
    # What sorts of subscriptions are searched, too; only these a resource narrows.
    subscriptions: frozenset[Kinds] = frozenset()
    # Whether an item needs all of its parts; else one is enough.
    whole: bool = False

    @property
    def key(self) -> str:
        """What an error names."""
        return self.parts[0].key

    @property
    def channels(self) -> list[str]:
        """Of those that have a row."""
        return [name for name, row in CHANNELS.items() if row.kinds in self.subscriptions]

    def own(self, field_name: str | None, fields: Mapping[str, Field]) -> Own | None:
        """What is searched by in a database of these fields, where that is named; raises `ItemFailed` if nothing is found by it."""
        if self.named is None:
            return None
        own = self.named(field_name or "", fields)
        if own is None:
            raise ItemFailed(Why.FIELD_NOT_MATCHED_BY, field_name)
        return own

    def together(self, found: Mapping[str, str | list[str]]) -> MatchValue:
        """The match value of these parts; raises `ItemFailed` if one is missing that an item needs."""
        if len(found) < len(self.parts) and (self.whole or not found):
            raise ItemFailed(Why.NO_MATCH_VALUE, next(part.key for part in self.parts if part.key not in found))
        return found[self.key] if len(self.parts) == 1 else dict(found)  # type: ignore[arg-type]  # of several, each is a text


def _id(given: object, _: Own | None) -> str:
    profile = parse_id(given)
    if profile is None:
        raise ItemFailed(Why.PROFILE_NOT_FOUND)
    return profile.hex()


def _bare(data: Mapping[str, Any], name: str) -> Any:
    """What a field is given: `set` is another way to write that, and another update says nothing of whose it is."""
    given = data.get(name)
    if not is_update(given):
        return given
    return given.get("value") if given["action"] == "set" else None


def _first_phone(data: Mapping[str, Any], _: Own | None) -> tuple[str, Any]:
    phones = _bare(data, "phones")
    return "phones", (phones[0] if phones else None) if isinstance(phones, list) else phones


def _own(own: Own | None) -> Own:
    """Of a mode that names what it searches by: whoever asks has it."""
    if own is None:
        raise ItemFailed(Why.FIELD_NOT_MATCHED_BY)
    return own


def _own_field(name: str, fields: Mapping[str, Field]) -> Own | None:
    field = fields.get(name)
    return Own(name, field) if field is not None and field.match else None


# Whatever is searched by is a text.
_MEMBER = Field(type=FieldType.STRING, match=True)


def _member(name: str, _: Mapping[str, Field]) -> Own | None:
    return Own(name, _MEMBER) if name in MEMBERS else None


def _member_text(value: str, own: Own | None) -> str:
    return member_address(_own(own).name, value)


def _member_subs(value: str, resource: ResourceNumber | None, own: Own | None) -> list[Identity]:
    return [subscribed(CUSTOM, _member_text(value, own), resource)]


def _custom_held(data: Mapping[str, Any], own: Own | None) -> tuple[str, Any]:
    name = _own(own).name
    return name, _bare(data, name)


def _email_subs(value: str, resource: ResourceNumber | None) -> list[Identity]:
    return [subscribed(EMAIL, value, resource)]


def _phone_subs(value: str, resource: ResourceNumber | None) -> list[Identity]:
    return [subscribed(SMS, value, resource)]


def _emails(value: str, resource: ResourceNumber | None) -> list[Identity]:
    return [(Kind.EMAIL, value), *_email_subs(value, resource)]


def _phones(value: str, resource: ResourceNumber | None) -> list[Identity]:
    return [(Kind.PHONE, value), *_phone_subs(value, resource)]


def _either(
    emails: Callable[[str, ResourceNumber | None], list[Identity]], phones: Callable[[str, ResourceNumber | None], list[Identity]]
) -> Callable[[Any, ResourceNumber | None, Own | None], list[Identity]]:
    """Of a value that has an e-mail, a phone, or both."""

    def searched(value: Mapping[str, str], resource: ResourceNumber | None, _: Own | None) -> list[Identity]:
        return [
            *(emails(value["email"], resource) if "email" in value else ()),
            *(phones(value["phone"], resource) if "phone" in value else ()),
        ]

    return searched


def _implied_by_either(value: Mapping[str, str], _: Own | None) -> dict[str, JsonValue]:
    return ({"email": value["email"]} if "email" in value else {}) | ({"phones": [value["phone"]]} if "phone" in value else {})


def _in_order_of_either(value: Mapping[str, str], _: Own | None) -> tuple[str, str | list[str]]:
    return ("email", value["email"]) if "email" in value else ("phone", value["phone"])


def _device(value: Mapping[str, str]) -> str:
    return address_of([value["provider"], value["subscription_id"]])


_EMAIL = Part("email", lambda given, _: normal_email(given), lambda data, _: ("email", _bare(data, "email")))
_PHONE = Part("phone", lambda given, _: normal_phone(given), _first_phone)
_ID = Part("profile_id", _id, lambda _, __: ("profile_id", None))
_FIELD = Part("field_value", lambda given, own: match_value(_own(own).field, given), _custom_held)
_PROVIDER = Part("provider", lambda given, _: bounded(string(given)), lambda _, __: ("provider", None))
_SUBSCRIPTION = Part("subscription_id", lambda given, _: bounded(string(given)), lambda _, __: ("subscription_id", None))

_ADDRESS_OF_MEMBER = Part("field_value", lambda given, own: str(MEMBERS[_own(own).name](given)), lambda _, __: ("field_value", None))

MODES: Mapping[Matching, Mode] = {
    Matching.EMAIL: Mode(
        parts=(_EMAIL,),
        ordered=lambda value, _: ("email", value),
        searched=lambda value, resource, _: _emails(value, resource),
        implied=lambda value, _: {"email": value},
        subscriptions=frozenset({EMAIL}),
    ),
    Matching.EMAIL_PROFILE: Mode(
        parts=(_EMAIL,),
        ordered=lambda value, _: ("email", value),
        searched=lambda value, _, __: [(Kind.EMAIL, value)],
        implied=lambda value, _: {"email": value},
    ),
    Matching.EMAIL_SUB: Mode(
        parts=(_EMAIL,),
        ordered=lambda value, _: ("email", value),
        searched=lambda value, resource, _: _email_subs(value, resource),
        subscriptions=frozenset({EMAIL}),
    ),
    Matching.PHONE: Mode(
        parts=(_PHONE,),
        ordered=lambda value, _: ("phone", value),
        searched=lambda value, resource, _: _phones(value, resource),
        implied=lambda value, _: {"phones": [value]},
        subscriptions=frozenset({SMS}),
    ),
    Matching.PHONE_SUB: Mode(
        parts=(_PHONE,),
        ordered=lambda value, _: ("phone", value),
        searched=lambda value, resource, _: _phone_subs(value, resource),
        subscriptions=frozenset({SMS}),
    ),
    Matching.EMAIL_PHONE: Mode(
        parts=(_EMAIL, _PHONE),
        ordered=_in_order_of_either,
        searched=_either(_emails, _phones),
        implied=_implied_by_either,
        subscriptions=frozenset({EMAIL, SMS}),
    ),
    Matching.EMAIL_PHONE_SUB: Mode(
        parts=(_EMAIL, _PHONE),
        ordered=_in_order_of_either,
        searched=_either(_email_subs, _phone_subs),
        subscriptions=frozenset({EMAIL, SMS}),
    ),
    Matching.PUSH_SUB: Mode(
        parts=(_PROVIDER, _SUBSCRIPTION),
        ordered=lambda value, _: ("push", _device(value)),
        searched=lambda value, resource, _: [subscribed(PUSH, _device(value), resource)],
        subscriptions=frozenset({PUSH}),
        whole=True,
    ),
    Matching.PROFILE_ID: Mode(
        parts=(_ID,),
        ordered=lambda value, _: ("id", value),
        searched=None,
    ),
    Matching.CUSTOM: Mode(
        parts=(_FIELD,),
        ordered=lambda value, own: (f"field/{_own(own).name}", value),
        searched=lambda value, _, own: [of_field(_own(own).name, value)],
        implied=lambda value, own: {_own(own).name: parse(_own(own).field, value)},
        named=_own_field,
    ),
    Matching.CUSTOM_SUB: Mode(
        parts=(_ADDRESS_OF_MEMBER,),
        ordered=lambda value, own: ("custom", _member_text(value, own)),
        searched=_member_subs,
        named=_member,
        subscriptions=frozenset({CUSTOM}),
    ),
}
