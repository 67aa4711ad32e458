"""Ids of profiles and batches: 12 bytes, time-ordered, shown as 24 hex digits; and the two numbers of triggers and resources."""

import hashlib
import random
import re
import time
from typing import NewType

SIZE = 12

# Of a row. An account's own number is what requests, `profuse apply`, messages and events name.
TriggerId = NewType("TriggerId", int)
TriggerNumber = NewType("TriggerNumber", int)
ResourceId = NewType("ResourceId", int)
ResourceNumber = NewType("ResourceNumber", int)

# Ids must differ, not be secret; a system call for each would cost more than all the rest of it.
_random = random.Random()  # noqa: S311

_SHOWN = re.compile(r"[0-9a-f]{24}")


def new_id() -> bytes:
    """Milliseconds since the epoch in 6 bytes, then 6 random ones: new rows land side by side in an index."""
    return int(time.time() * 1000).to_bytes(6, "big") + _random.randbytes(6)


def parse_id(shown: object) -> bytes | None:
    """The id behind its 24 hex digits, or None if it is malformed."""
    if isinstance(shown, str) and _SHOWN.fullmatch(shown.lower()):
        return bytes.fromhex(shown)
    return None


def unpack(packed: bytes) -> list[bytes]:
    """Split ids that were stored one after the other."""
    return [packed[at : at + SIZE] for at in range(0, len(packed), SIZE)]


def launch_id(batch: bytes, item: int, trigger: TriggerId) -> str:
    """The same launch has the same id in every repeat: 32 hex digits of batch, item and trigger."""
    return hashlib.blake2b(b"%s/%d/%d" % (batch, item, trigger), digest_size=16).hexdigest()


def md5_of(email: str) -> str:
    """What other systems know a profile's normalised e-mail by, 32 hex digits; no secret, and no protection of one."""
    return hashlib.md5(email.encode(), usedforsecurity=False).hexdigest()


def event_id(origin: str, event_type: str) -> str:
    """A hash of what the event is about (a launch's id, or batch and item) and its type."""
    return hashlib.blake2b(f"{origin}/{event_type}".encode(), digest_size=16).hexdigest()
