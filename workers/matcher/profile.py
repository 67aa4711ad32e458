"""A profile while a chunk is merged, and what it is found by."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from schemas.identities import Identity, identities_of, tags_of
from schemas.values import JsonValue
from workers.matcher.batches import Database
from workers.matcher.subscribing import Subscription


@dataclass(slots=True)
class Profile:
    """One profile's latest state; `stored_…` is what the tables say of it."""

    id: bytes
    database: Database
    data: dict[str, JsonValue] = field(default_factory=dict)
    subscriptions: list[Subscription] = field(default_factory=list)
    identities: frozenset[Identity] = frozenset()
    tags: frozenset[int] = frozenset()
    stored_identities: frozenset[Identity] = frozenset()
    # None: nobody knows.
    stored_tags: frozenset[int] | None = frozenset()
    # Those that may be stored, or not yet: their fields are being indexed.
    doubtful: frozenset[Identity] = frozenset()
    # Identities whose search created this profile because nobody held them.
    claims: frozenset[Identity] = frozenset()
    new: bool = False
    changed: bool = False

    @classmethod
    def stored(cls, profile: bytes, database: Database, data: dict[str, JsonValue], subscriptions: list[Subscription]) -> "Profile":
        """As it was read from the table."""
        known = cls(profile, database, data, subscriptions)
        known.identities = known.stored_identities = known.answers_to()
        known.tags = known.stored_tags = known.carries()
        if database.indexing:
            known.doubtful = known.identities - frozenset(identities_of(database.settled, data, subscriptions))
            known.stored_tags = known.stored_tags if database.indexing.isdisjoint(database.tagging) else None
        return known

    def answers_to(self) -> frozenset[Identity]:
        return frozenset(identities_of(self.database.matchable, self.data, self.subscriptions))

    def carries(self) -> frozenset[int]:
        return frozenset(tags_of(self.database.id, self.database.tagging, self.data))


def same(one: JsonValue, other: JsonValue) -> bool:
    """Equal as JSON; Python's own comparison takes true for 1."""
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[name]) for name, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    return bool(one == other) and isinstance(one, bool) == isinstance(other, bool)


def overlaid(data: Mapping[str, JsonValue], fields: Mapping[str, JsonValue]) -> tuple[dict[str, JsonValue], set[str]]:
    """The data with the fields laid over it, None taking one away, and which of them made a difference."""
    laid = dict(data)
    changed = set()
    for name, value in fields.items():
        if value is None:
            if laid.pop(name, None) is not None:
                changed.add(name)
        elif name not in laid or not same(laid[name], value):
            laid[name] = value
            changed.add(name)
    return laid, changed
