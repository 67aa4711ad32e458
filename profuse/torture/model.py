"""Pure: what producers asked for, and what must be true after it."""

from collections import defaultdict
from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from typing import Any, NamedTuple

# A version goes into one of so many fields, so that most updates leave some fields alone.
FIELDS = ("mark_0", "mark_1", "mark_2")
# One profile of so many gets a phone and a subscription, and so its launches are mails; the others are skipped.
MAILED = 50
RESOURCE = 24
PHONES = "+79"


class Item(NamedTuple):
    """One item of a request: the n-th profile of its producer, and a version that only grows."""

    producer: int
    profile: int
    version: int

    @property
    def email(self) -> str:
        return f"{self.producer}-{self.profile}@torture.test"

    @property
    def phone(self) -> str:
        return f"{PHONES}{self.producer}{self.profile:06}"

    @property
    def field(self) -> str:
        return FIELDS[self.version % len(FIELDS)]

    @property
    def is_mailed(self) -> bool:
        return self.profile % MAILED == 0

    def data(self) -> dict[str, Any]:
        data: dict[str, Any] = {"email": self.email, "version": self.version, self.field: self.version}
        if self.is_mailed:
            data |= {"phones": self.phone, "subscriptions": [{"resource_id": RESOURCE, "email": self.email}]}
        return data


@dataclass
class Request:
    """A request under its Request-ID, and what its producer has heard of it."""

    id: str
    items: list[Item]
    body: bytes
    acknowledged: bool = False
    # The answered ids, in the order of the items; None after a 202.
    profiles: list[str] | None = None


class Expected:
    """Which values each profile may hold now: the last acknowledged one, or one of those that nobody acknowledged."""

    def __init__(self, requests: Iterable[Request]) -> None:
        self.certain: dict[str, dict[str, int]] = defaultdict(dict)
        self.possible: dict[str, dict[str, set[int]]] = defaultdict(lambda: defaultdict(set))
        for request in requests:
            for item in request.items:
                self._write(item, acknowledged=request.acknowledged)

    def _write(self, item: Item, *, acknowledged: bool) -> None:
        for field in ("version", item.field):
            if acknowledged:
                self.certain[item.email][field] = item.version
            else:
                self.possible[item.email][field].add(item.version)

    def allows(self, email: str, field: str, value: int | None) -> bool:
        certain = self.certain[email].get(field) if email in self.certain else None
        return value == certain or (email in self.possible and value in self.possible[email][field])

    def is_right(self, email: str, data: Mapping[str, Any]) -> bool:
        return all(self.allows(email, field, data.get(field)) for field in ("version", *FIELDS))
