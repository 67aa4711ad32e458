"""What the receiver noted."""

from collections.abc import Iterator
from pathlib import Path
from typing import Any

import msgspec

from profuse.torture.receiving.noted import EVENTS, LAUNCHES, EventsNoted, LaunchNoted
from profuse.torture.receiving.outlets import PATIENCE
from profuse.torture.verdict.seen import Call, Post


def calls(folder: Path) -> Iterator[Call]:
    """In the order in which they came."""
    for each in _noted(folder / LAUNCHES, LaunchNoted):
        other_key = "" if each.key == each.id else "its Idempotency-Key is another one"
        in_time = each.is_taken and each.waited < PATIENCE / 2
        yield Call(each.id, each.at, each.is_taken, each.content, each.wrong or other_key, in_time)


def posts(folder: Path) -> Iterator[Post]:
    """In the order in which they came."""
    for each in _noted(folder / EVENTS, EventsNoted):
        yield Post(each.account, each.id, bytes.fromhex(each.body), tuple(map(bytes.fromhex, each.events)), each.wrong)


def _noted(file: Path, kind: type[Any]) -> Iterator[Any]:
    decoder = msgspec.json.Decoder(kind)
    with file.open("rb") as lines:
        yield from (decoder.decode(line) for line in lines)
