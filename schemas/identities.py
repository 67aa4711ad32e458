"""What a profile is found by, as the index of identities spells it."""

import hashlib
from collections.abc import Iterable, Mapping, Sequence

from schemas.channels import Kinds, channel
from schemas.fields import Field, FieldType, search_text
from schemas.ids import ResourceNumber
from schemas.kinds import Identity, Kind
from schemas.stored import filed
from schemas.values import JsonValue


def identities_of(
    fields: Mapping[str, Field], data: Mapping[str, JsonValue], subscriptions: Iterable[Mapping[str, JsonValue]]
) -> set[Identity]:
    """Everything that a stored profile is found by, but for its id; `fields` are its database's own.

    It never fails: a value that its field no longer accepts is not searched by.
    """
    found: set[Identity] = {(Kind.PHONE, phone) for phone in data.get("phones", ())}
    if email := data.get("email"):
        found.add((Kind.EMAIL, email))
    for subscription in subscriptions:
        found.update(_of_subscription(subscription))
    for name, field in fields.items():
        value = filed(field, data[name]) if field.match and name in data else None
        if value is not None:
            found.update(of_field(name, text) for text in (value if field.type is FieldType.TAGS else [search_text(value)]))
    return found


def tagged(field_name: str, tags: Iterable[str]) -> list[Identity]:
    """What a profile is found by that carries these tags, sorted."""
    return sorted({of_field(field_name, tag) for tag in tags})


def holder_number(profile: bytes) -> int:
    """`n` of a further holder of an identity: never 0, and the same for all that the profile is found by."""
    return int.from_bytes(profile[-8:], "big") >> 1 or 1


def _of_subscription(subscription: Mapping[str, JsonValue]) -> list[Identity]:
    """What is stored may be older than today's rules, so a subscription of another shape is none."""
    try:
        kinds, resource = (row := channel(subscription["channel"])).kinds, subscription["resource_id"]
        address = address_of(row.address(subscription)) if kinds else ""
    except (KeyError, TypeError):
        return []
    if kinds is None or resource is None:
        return []
    return [subscribed(kinds, address, None), subscribed(kinds, address, resource)]


def address_of(parts: Sequence[str]) -> str:
    """A subscription's address as it is compared: of several parts a digest, for they may be long."""
    if len(parts) == 1:
        return parts[0]
    text = "\x1f".join(parts)
    if text.count("\x1f") >= len(parts):
        # One of them holds what parts them: where the first ends is said as well.
        text = f"{len(parts[0])}\x1f{text}"
    return hashlib.sha256(text.encode()).hexdigest()[:32]


def subscribed(kinds: Kinds, address: str, resource: ResourceNumber | None) -> Identity:
    """A subscription's address, anywhere or of a resource, which is the account's own number."""
    return (kinds.anywhere, address) if resource is None else (kinds.of_resource, f"{resource} {address}")


def of_field(name: str, text: str) -> Identity:
    """A value of a database's own field, as it is compared."""
    # A digest, because a B-tree entry of more than 2.7 kB is refused.
    return Kind.FIELD, hashlib.blake2b(f"{name}\0{text}".encode(), digest_size=16).hexdigest()
