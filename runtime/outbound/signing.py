"""Pure: signatures as Standard Webhooks 1.0 asks for them, so that a receiver needs a library and no code of ours."""

import binascii
import hmac
from base64 import b64decode, b64encode
from collections.abc import Sequence
from functools import lru_cache

_PREFIX = "whsec_"
_LENGTHS = range(24, 65)


class IncorrectSecret(ValueError):
    """A text that is no secret; never quotes it."""

    def __init__(self) -> None:
        super().__init__("must be whsec_ and the base64 of 24 to 64 bytes")


def key_of(secret: str) -> bytes:
    """The bytes behind `whsec_…`; raises `IncorrectSecret`."""
    if not secret.startswith(_PREFIX):
        raise IncorrectSecret
    try:
        key = b64decode(secret.removeprefix(_PREFIX), validate=True)
    except (binascii.Error, ValueError):
        raise IncorrectSecret from None
    if len(key) not in _LENGTHS:
        raise IncorrectSecret
    return key


# What the key alone makes of a signature is half of its work.
@lru_cache(maxsize=1024)
def _keyed(secret: str) -> hmac.HMAC:
    return hmac.new(key_of(secret), digestmod="sha256")


def signed(secrets: Sequence[str], id_: str, timestamp: int, body: bytes) -> dict[str, str]:
    """The headers of one attempt; `timestamp` is in Unix seconds. During a rotation each secret signs."""
    headers = {"webhook-id": id_, "webhook-timestamp": str(timestamp)}
    if secrets:
        content = b"%b.%d.%b" % (id_.encode("ascii"), timestamp, body)
        headers["webhook-signature"] = " ".join([_signature(secret, content) for secret in secrets])
    return headers


def _signature(secret: str, content: bytes) -> str:
    made = _keyed(secret).copy()
    made.update(content)
    return f"v1,{b64encode(made.digest()).decode()}"
