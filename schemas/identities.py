"""What a profile is found by, as the index of identities spells it."""

import hashlib
from collections.abc import Iterable, Mapping
from enum import IntEnum

from schemas.fields import Field, FieldType, search_text
from schemas.matching import Matching
from schemas.stored import filed
from schemas.values import JsonValue


class Kind(IntEnum):
    """What sort of value an identity is; stored, so a number never changes its meaning."""

    EMAIL = 1
    EMAIL_SUBSCRIPTION = 2
    EMAIL_SUBSCRIPTION_OF_RESOURCE = 3
    PHONE = 4
    SMS_SUBSCRIPTION = 5
    SMS_SUBSCRIPTION_OF_RESOURCE = 6
    FIELD = 7


Identity = tuple[Kind, str]

_SUBSCRIPTION_KINDS = {
    "email": (Kind.EMAIL_SUBSCRIPTION, Kind.EMAIL_SUBSCRIPTION_OF_RESOURCE),
    "sms": (Kind.SMS_SUBSCRIPTION, Kind.SMS_SUBSCRIPTION_OF_RESOURCE),
}
# The key that holds a subscription's address, by its channel.
ADDRESS_KEYS = {"email": "email", "sms": "phone"}


def searched(matching: Matching, value: str, resource: int | None, field_name: str | None) -> list[Identity]:
    """The identities that a match value may be found under; a profile holding any of them is a match.

    A profile id is no identity, and tags are searched by `tag_hashes`. `resource` is the account's own number.
    """
    match matching:
        case Matching.EMAIL:
            return [(Kind.EMAIL, value), _subscribed("email", value, resource)]
        case Matching.EMAIL_PROFILE:
            return [(Kind.EMAIL, value)]
        case Matching.PHONE:
            return [(Kind.PHONE, value), _subscribed("sms", value, resource)]
        case Matching.CUSTOM:
            return [_of_field(str(field_name), value)]
        case Matching.PROFILE_ID:
            return []


def identities_of(
    fields: Mapping[str, Field], data: Mapping[str, JsonValue], subscriptions: Iterable[Mapping[str, JsonValue]]
) -> set[Identity]:
    """Everything that a stored profile is found by, but for its id and its tags; `fields` are its database's own.

    It never fails: a value that its field no longer accepts is not searched by.
    """
    found: set[Identity] = {(Kind.PHONE, phone) for phone in data.get("phones", ())}
    if email := data.get("email"):
        found.add((Kind.EMAIL, email))
    for subscription in subscriptions:
        channel = subscription["channel"]
        if channel in ADDRESS_KEYS:
            address = subscription[ADDRESS_KEYS[channel]]
            found.add(_subscribed(channel, address, None))
            found.add(_subscribed(channel, address, subscription["resource_id"]))
    for name, field in fields.items():
        if field.match and field.type is not FieldType.TAGS and name in data:
            value = filed(field, data[name])
            if value is not None:
                found.add(_of_field(name, search_text(value)))
    return found


def tags_of(database: int, fields: Mapping[str, Field], data: Mapping[str, JsonValue]) -> set[int]:
    """The hashes of the tags that a stored profile is found by; it never fails either."""
    found: set[int] = set()
    for name, field in fields.items():
        if field.match and field.type is FieldType.TAGS and name in data:
            found.update(tag_hashes(database, name, filed(field, data[name]) or ()))
    return found


def tag_hashes(database: int, field_name: str, tags: Iterable[str]) -> list[int]:
    """What the index of tags holds for tags: 64-bit signed hashes, sorted."""
    return sorted({_hash(b"%d/%s/%s" % (database, field_name.encode(), tag.encode())) for tag in tags})


def holder_number(profile: bytes) -> int:
    """`n` of a further holder of an identity: never 0, and the same whenever the row is removed."""
    return int.from_bytes(profile[-8:], "big") >> 1 or 1


def _subscribed(channel: str, address: str, resource: int | None) -> Identity:
    anywhere, of_resource = _SUBSCRIPTION_KINDS[channel]
    return (anywhere, address) if resource is None else (of_resource, f"{resource} {address}")


def _of_field(name: str, text: str) -> Identity:
    # A digest, because a B-tree entry of more than 2.7 kB is refused.
    return Kind.FIELD, hashlib.blake2b(f"{name}\0{text}".encode(), digest_size=16).hexdigest()


def _hash(text: bytes) -> int:
    return int.from_bytes(hashlib.blake2b(text, digest_size=8).digest(), "big", signed=True)
