"""Pure: what the receiver notes of each POST, a line each."""

import hashlib
from typing import Any

import msgspec

LAUNCHES, EVENTS = "launches.jsonl", "events.jsonl"


class LaunchNoted(msgspec.Struct, array_like=True):
    """A POST to the provider, at a moment in Unix seconds: all of it but its own moment, and why no receiver would take it."""

    id: str
    key: str
    at: float
    # Seconds since it was signed.
    waited: float
    is_taken: bool
    content: Any
    wrong: str


class EventsNoted(msgspec.Struct, array_like=True):
    """A POST to a hook; digests, in hex, stand for its body and for each of its events."""

    account: int
    id: str
    body: str
    events: list[str]
    wrong: str


def digest(value: bytes) -> bytes:
    """There are millions of events."""
    return hashlib.blake2b(value, digest_size=8).digest()
