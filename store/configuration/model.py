"""What a file can bring about, in one shape for what is wanted and what is stored."""

from collections.abc import Mapping
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, TypeAlias

from runtime.errors import CannotRun


class BadDeclaration(CannotRun):
    """Nothing was changed; a line for each thing that is wrong, with its place."""


class Kind(StrEnum):
    ACCOUNT = "account"
    TOKEN = "token"  # noqa: S105 — a kind, not a secret
    DATABASE = "database"
    RESOURCE = "resource"
    PROVIDER = "provider"
    TRIGGER = "trigger"
    HOOK = "hook"


@dataclass(frozen=True)
class Key:
    """A thing of an account, by the account's own number or by its name."""

    kind: Kind
    account: int
    id: int | str

    def __str__(self) -> str:
        return f"account {self.account}" if self.kind is Kind.ACCOUNT else f"account {self.account}, {self.kind} {self.id}"


# Column -> value; what refers to a database or resource holds its number.
Values: TypeAlias = Mapping[str, Any]


@dataclass(frozen=True)
class Wanted:
    """What the file says of a thing, and where."""

    path: str
    values: Values


@dataclass(frozen=True)
class Stored:
    """What the tables say of the file's accounts."""

    things: Mapping[Key, Values] = field(default_factory=dict)
    # Who holds the token values that the file names, in whatever account.
    holders: Mapping[bytes, Key] = field(default_factory=dict)
    # The databases that have profiles, and their internal ids.
    populated: Mapping[Key, int] = field(default_factory=dict)


@dataclass(frozen=True)
class Change:
    """A thing to write: all of its values if it is new, else those that differ."""

    key: Key
    values: Values
    is_new: bool = False
    # Fields of a database that its profiles are filed by from now on, and whether they may have been before.
    indexed: tuple[str, ...] = ()
    is_swept: bool = False

    def __str__(self) -> str:
        return f"{self.key}: {self._verb()}"

    def _verb(self) -> str:
        if self.is_new:
            return "created"
        if self.values == {"revoked": True}:
            return "revoked"
        if self.values == {"active": False}:
            return "deactivated"
        shown = {"hash": "value", "expires_at": "expires"}
        return f"changed {', '.join(shown.get(name, name) for name in self.values)}"
