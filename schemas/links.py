"""The link in a mail by which its reader unsubscribes: all that it means stands in it, signed, and nothing is stored."""

import hashlib
import hmac
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Sequence
from dataclasses import dataclass
from datetime import UTC, datetime, timedelta

PATH = "/u/"
VALID = timedelta(days=365)

_DAY = timedelta(days=1)
_EPOCH = datetime(2020, 1, 1, tzinfo=UTC)
# The profile's id, the account, its resource, the day after which it is no more, a digest of the address.
_CONTENT = struct.Struct(">12sIIH8s")
_DIGEST, _SIGNATURE = 8, 16
# What a link is signed for. Who knows only the other one would not find the address in it, and say that he had unsubscribed it.
_SIGNED, _SIGNED_BEFORE = b"unsubscribe-2", b"unsubscribe"


@dataclass(frozen=True)
class Unsubscribing:
    """A subscription: whose it is, of which resource, and the digest of its address."""

    account: int
    profile: bytes
    resource: int
    address: bytes


def digest(key: str, address: str) -> bytes:
    """What stands for an address in a link, which everybody may see on its way."""
    # Phone numbers are so few that all of them can be tried by whoever has the key, and nobody else is to have it.
    return hashlib.blake2b(address.encode(), key=_own(key, b"address"), digest_size=_DIGEST).digest()


def means(keys: Sequence[str], link: Unsubscribing, address: str) -> bool:
    """Whether a link that was read is of this address."""
    # Digests of other links had no key, and these are valid for a year.
    of_before = hashlib.blake2b(address.encode(), digest_size=_DIGEST).digest()
    return any(hmac.compare_digest(each, link.address) for each in (*(digest(key, address) for key in keys), of_before))


def signed(keys: Sequence[str], link: Unsubscribing, now: datetime) -> str:
    """Text for an address, of the same length for all; the first key signs. The same on one day."""
    until = (now + VALID - _EPOCH) // _DAY
    content = _CONTENT.pack(link.profile, link.account, link.resource, until, link.address)
    return urlsafe_b64encode(content + _signature(keys[0], content, _SIGNED)).decode().rstrip("=")


def read(keys: Sequence[str], text: str, now: datetime) -> Unsubscribing | None:
    """None for what none of the keys has signed, and for what is too old."""
    try:
        raw = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        return None
    content, signature = raw[: _CONTENT.size], raw[_CONTENT.size :]
    valid = (_signature(key, content, use) for key in keys for use in (_SIGNED, _SIGNED_BEFORE))
    if len(content) != _CONTENT.size or not any(hmac.compare_digest(each, signature) for each in valid):
        return None
    profile, account, resource, until, address = _CONTENT.unpack(content)
    return None if until < (now - _EPOCH) // _DAY else Unsubscribing(account, profile, resource, address)


def _signature(key: str, content: bytes, use: bytes) -> bytes:
    return hashlib.blake2b(content, key=_own(key, use), digest_size=_SIGNATURE).digest()


def _own(key: str, use: bytes) -> bytes:
    """A key for this use alone, however long the secret is."""
    return hashlib.blake2b(key.encode(), person=use, digest_size=32).digest()
