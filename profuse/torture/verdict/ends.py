"""Processes that ended, and the signals that explain it."""

import re
from collections import Counter
from collections.abc import Iterable, Iterator
from typing import NamedTuple

from profuse.torture.verdict.seen import Difference, difference, together

_END = re.compile(
    r"(?P<room>[a-z-]+?)(-\d+)? (was killed by (?P<signal>SIG[A-Z]+)|ended with code (?P<code>\d+): (?P<words>.*)); it is started again"
)
# A process that finds no server when it starts says so and leaves it to its supervisor to try again.
_NO_SERVER = re.compile(r"do Kafka at .* and Postgres at .* answer\?")
_ENDING = ("SIGKILL", "SIGTERM", "SIGINT")
_OURS = ("gateway", "matcher", "launcher", "hooks", "mail-sink")


class End(NamedTuple):
    """A process of this room ended, and nobody had told the supervisor that it should."""

    room: str
    # The signal, or "code 1: …" with its last words.
    how: str


def ends(lines: Iterable[str]) -> Iterator[End]:
    """As the supervisor tells them."""
    for line in lines:
        if found := _END.search(line):
            yield End(found["room"], found["signal"] or f"code {found['code']}: {found['words']}")


def unexplained(seen: Iterable[End], sent: Counter[tuple[str, str]]) -> list[Difference]:
    """Those that no signal of ours to their room explains; `sent` counts signals by room and name."""
    left: Counter[tuple[str, bool]] = Counter()
    for (room, name), count in sent.items():
        left[room, name == "SIGKILL"] += count * (name in _ENDING)
    unasked: list[str] = []
    for end in seen:
        asked = (end.room, end.how == "SIGKILL")
        if left[asked] > 0:
            left[asked] -= 1
        elif not (end.room in _OURS and _NO_SERVER.search(end.how)):
            unasked.append(f"{end.room} ({end.how[:200]})")
    return together([difference("wrong", unasked, "processes that ended by themselves")])
