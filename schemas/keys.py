"""What messages for the matcher are kept in order by."""

import hashlib
from collections.abc import Iterable, Mapping

from schemas.fields import Field, search_text
from schemas.identities import identities_of
from schemas.kinds import Kind
from schemas.stored import fitting
from schemas.values import JsonValue

# A longer value is represented by its digest, so that hashing a key stays cheap.
_LONGEST = 128

_KINDS = {
    Kind.EMAIL: "email",
    Kind.EMAIL_SUBSCRIPTION: "email",
    Kind.PHONE: "phone",
    Kind.SMS_SUBSCRIPTION: "phone",
    Kind.PUSH_SUBSCRIPTION: "push",
    Kind.CUSTOM_SUBSCRIPTION: "custom",
}


def match_key(database: int, kind: str, value: str | list[str]) -> bytes:
    """The database, the kind of address and its value: not the mode, so that all modes of one address stay in order."""
    encoded = (value if isinstance(value, str) else ", ".join(value)).encode()
    if len(encoded) > _LONGEST:
        encoded = hashlib.blake2b(encoded, digest_size=16).hexdigest().encode()
    return b"%d/%s/%s" % (database, kind.encode(), encoded)


def keys_of(
    database: int,
    fields: Mapping[str, Field],
    profile: bytes,
    data: Mapping[str, JsonValue],
    subscriptions: Iterable[Mapping[str, JsonValue]],
) -> set[bytes]:
    """The keys of the messages that may mean a stored profile, but for combinations of its tags."""
    addresses = ((_KINDS[kind], value) for kind, value in identities_of({}, data, subscriptions) if kind in _KINDS)
    values = ((name, fitting(field, data[name])) for name, field in fields.items() if name in data)
    own = ((f"field/{name}", search_text(value)) for name, value in values if value is not None and not isinstance(value, (list, dict)))
    return {match_key(database, kind, value) for kind, value in (("id", profile.hex()), *addresses, *own)}
