"""Pure: what producers ask for.

Each subject is one person, whom several producers know by different keys. Each item leaves a mark of its own on the profile that it is
applied to: so the profile says of every item whether it was applied, and not only of the last.
"""

import math
from collections.abc import Sequence
from dataclasses import dataclass, field
from enum import StrEnum
from typing import Any, NamedTuple

# A version goes into one of so many fields, so that most updates leave some fields alone.
FIELDS = ("mark_0", "mark_1", "mark_2")
# Counts the items that were applied: a second time shows, whatever the item wrote.
COUNTER = "applied"
NEWSLETTER, MARKS = 24, 25
PHONES = "+79"
HOME = "torture.test"
# One item of so many adds a subscription besides its mark, brings its own custom_data, is wrong, is refused by the database.
SUBSCRIBES, TELLS, WRONG, REFUSED = 8, 5, 40, 400


class Key(StrEnum):
    """What a request's items are matched by."""

    EMAIL = "email"
    PHONE = "phone"
    CODE = "code"
    LABEL = "label"


Identity = tuple[Key, str]

# One subject of 25 each gets mails, and where; what becomes of them. All others are skipped.
INBOXES = {0: ("inbox.torture.test", "send"), 1: ("recovers.{}.torture.sink.test", "send"), 2: ("refuses.{}.torture.sink.test", "fail")}
_SUBJECTS = 25
# How the domains of these inboxes end.
OURS = (f".{HOME}", ".torture.sink.test")
# The fields that hold them.
_NAMES = {Key.EMAIL: "email", Key.PHONE: "phones", Key.CODE: "code", Key.LABEL: "labels"}


class Item(NamedTuple):
    """One item of a request. Its number is its version and its mark: unique, and growing."""

    number: int
    subject: int
    key: Key
    # Nobody has heard of the subject before.
    founds: bool = False

    @property
    def email(self) -> str:
        return f"{self.subject}@{HOME}"

    @property
    def phone(self) -> str:
        return f"{PHONES}{self.subject:08}"

    @property
    def sought(self) -> Identity:
        """What it is matched by."""
        return self.key, self._values()[self.key]

    @property
    def identities(self) -> list[Identity]:
        """What its profile is found by after it.

        Whoever knows the person by e-mail knows all; others know less, so that two who create at once may leave two profiles.
        """
        brought = {Key.EMAIL: Key, Key.PHONE: (Key.PHONE,), Key.CODE: (Key.CODE, Key.EMAIL), Key.LABEL: (Key.LABEL,)}
        values = self._values()
        return [(key, values[key]) for key in brought[self.key]]

    @property
    def field(self) -> str:
        return FIELDS[self.number % len(FIELDS)]

    @property
    def inbox(self) -> str | None:
        kind = INBOXES.get(self.subject % _SUBJECTS)
        return kind and f"{self.subject}@{kind[0].format(self.subject)}"

    @property
    def ending(self) -> str:
        """Of each of its launches."""
        return INBOXES.get(self.subject % _SUBJECTS, ("", "skip"))[1]

    @property
    def is_wrong(self) -> bool:
        return not self.founds and self.number % WRONG == WRONG - 1

    @property
    def is_refused(self) -> bool:
        """The database refuses it for a while, so that it becomes a dead letter, and is replayed."""
        return not self.founds and self.number % REFUSED == 0

    @property
    def writes(self) -> tuple[str, ...]:
        """The fields that then hold its number. A dead letter is applied at any time, and so writes none."""
        return () if self.is_refused else ("version", self.field)

    @property
    def subscribes(self) -> bool:
        return self.number % SUBSCRIBES == 0

    def data(self) -> dict[str, Any]:
        data: dict[str, Any] = {**dict.fromkeys(self.writes, self.number), mark(self.number): 1}
        data[COUNTER] = {"action": "incr", "value": 1}
        data |= {_NAMES[key]: [value] if key is Key.LABEL else value for key, value in self.identities}
        if self.is_wrong:
            data["version"] = "no number"
        if self.is_refused:
            data["refused"] = self.number
        subscriptions = [{"resource_id": NEWSLETTER, "email": self.inbox}] if self.inbox else []
        if self.subscribes:
            subscriptions.append({"resource_id": MARKS, "email": mark_address(self.number)})
        return data | ({"subscriptions": subscriptions} if subscriptions else {})

    def _values(self) -> dict[Key, str]:
        return {Key.EMAIL: self.email, Key.PHONE: self.phone, Key.CODE: f"c{self.subject}", Key.LABEL: f"l{self.subject}"}

    def custom_data(self) -> dict[str, int] | None:
        return {"number": self.number} if self.number % TELLS == 0 else None


def mark(number: int) -> str:
    """A field that no other item writes; the database keeps fields that are not declared."""
    return f"m{number}"


def mark_address(number: int) -> str:
    return f"m{number}@marks.{HOME}"


@dataclass
class Request:
    """A request under its Request-ID, and what its producer has heard of it. Moments are Unix seconds."""

    id: str
    items: Sequence[Item]
    key: Key = Key.EMAIL
    body: bytes = b""
    skip_triggers: bool = True
    # With content and a file for the mails.
    has_files: bool = False
    # Its launches are webhooks, which reach everybody.
    by_webhook: bool = False
    sent: float = 0.0
    # When it was answered 200 or 202, and when 200: then its items are applied.
    taken: float = math.inf
    applied: float = math.inf
    # The answered result.
    entries: list[dict[str, Any]] | None = field(default=None, repr=False)

    @property
    def is_acknowledged(self) -> bool:
        return self.taken < math.inf

    def custom_data(self, item: int) -> dict[str, Any]:
        """What the events of an item tell: its own keys over the request's."""
        return {"request": self.id, "number": -1} | (self.items[item].custom_data() or {})
