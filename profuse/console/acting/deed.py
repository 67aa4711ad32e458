"""What every deed of the console is: a plan that counts and changes nothing, and the doing."""

import shlex
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Protocol

import asyncpg

from profuse.console.reading.counted import Counted
from runtime.errors import CannotRun
from schemas.settings import Settings

Scope = Mapping[str, str]
Advance = Callable[[int], object]

_LARGEST = 2**31 - 1


@dataclass(frozen=True)
class Means:
    """What deeds work with."""

    settings: Settings
    # Of connections that cannot write, and whose statements are not waited for without an end.
    reads: asyncpg.Pool


@dataclass(frozen=True)
class Plan:
    """What would be done, in words; `scope` is what the doing gets, and nothing else."""

    title: str
    counted: Counted | None
    # What is counted, of several.
    things: str
    sentences: list[str]
    button: str
    # The same on the command line.
    command: str
    scope: Scope = field(default_factory=dict)
    # Whether it cannot be taken back.
    is_final: bool = False

    @property
    def is_empty(self) -> bool:
        return self.counted is not None and self.counted.number == 0 and self.counted.is_all


@dataclass(frozen=True)
class Done:
    count: int
    said: str


class Deed(Protocol):
    """One row of the console's deeds; both raise `CannotRun` for a scope that names nothing."""

    # The names that its scope may have.
    names: frozenset[str]

    async def plan(self, means: Means, scope: Scope) -> Plan: ...

    async def run(self, means: Means, scope: Scope, advance: Advance) -> Done:
        """Safe to repeat. `advance` is told how many more are done."""
        ...


def number(scope: Scope, name: str) -> int | None:
    """What a scope says under a name; None where it says nothing."""
    written = scope.get(name, "").strip()
    if not written:
        return None
    # Only these digits: others that `int` reads would not be the ones that are shown.
    if not (written.isascii() and written.isdigit()) or int(written[:12]) > _LARGEST:
        raise CannotRun(f"The {name} must be a number, and is not.")
    return int(written)


def moment(scope: Scope, name: str) -> datetime | None:
    """The same of a moment, which a plan has written."""
    if not scope.get(name):
        return None
    try:
        found = datetime.fromisoformat(scope[name])
    except ValueError:
        found = None
    if found is None or found.tzinfo is None:
        raise CannotRun("The moment of the count cannot be read: count them again.")
    return found


def command(*words: str, **options: str | None) -> str:
    """As a shell reads it."""
    given = [part for name, value in options.items() if value for part in (f"--{name}", shlex.quote(value))]
    return " ".join(["profuse", *(shlex.quote(word) for word in words), *given])
