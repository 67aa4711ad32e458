"""A profile while a chunk is merged, and what it is found by."""

import re
from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass, field

import msgspec

from schemas.actions import as_given
from schemas.identities import identities_of
from schemas.item_errors import ItemFailed, Why
from schemas.kinds import Identity
from schemas.levels import is_deeper
from schemas.same import same
from schemas.values import JsonValue
from workers.matcher.batches import Database
from workers.matcher.bounds import FIELD_LEVELS, LARGEST_PROFILE, MOST_SUBSCRIPTIONS
from workers.matcher.subscribing import Subscription
from workers.matcher.updates import Update

# No number becomes more than 62 times as long as it was written.
_LONGER = 64
_SURELY_SMALL = LARGEST_PROFILE // _LONGER
_json = msgspec.json.encode
# Made once: each field of each profile is asked.
_NESTED = (dict, list)
# Of a number, or of a text that looks like one.
_EXPONENT = re.compile(rb"\de[-+]?\d")


@dataclass(slots=True)
class Profile:
    """One profile's latest state; `stored_…` is what the tables say of it."""

    id: bytes
    database: Database
    data: dict[str, JsonValue] = field(default_factory=dict)
    subscriptions: list[Subscription] = field(default_factory=list)
    identities: frozenset[Identity] = frozenset()
    stored_identities: frozenset[Identity] = frozenset()
    # Those that may be stored, or not yet: their fields are being indexed.
    doubtful: frozenset[Identity] = frozenset()
    # Identities whose search created this profile because nobody held them.
    claims: frozenset[Identity] = frozenset()
    new: bool = False
    changed: bool = False
    # Data and subscriptions as JSON, where they are as they were when they were measured.
    _written: tuple[str, str] | None = None
    # Bytes that they take up at most, once they were measured.
    _most: int | None = None

    @classmethod
    def stored(cls, profile: bytes, database: Database, data: dict[str, JsonValue], subscriptions: list[Subscription]) -> "Profile":
        """As it was read from the table."""
        known = cls(profile, database, data, subscriptions)
        known.identities = known.stored_identities = known.answers_to()
        if database.indexing:
            known.doubtful = known.identities - frozenset(identities_of(database.settled, data, subscriptions))
        return known

    def become(self, data: dict[str, JsonValue], subscriptions: list[Subscription], changed: Collection[str]) -> None:
        """These are its data and subscriptions now; raises `ItemFailed` if it would be too large.

        Many items may change little of a large one, so that all of it is measured only where they could have made it too large.
        """
        grown = None if self._most is None or "subscriptions" in changed else self._most + _size_of(data, changed)
        if grown is None or grown > LARGEST_PROFILE:
            self._written, self._most = _measured(data, subscriptions)
        else:
            self._written, self._most = None, grown
        self.data, self.subscriptions = data, subscriptions

    def written(self) -> tuple[str, str]:
        """Data and subscriptions as JSON."""
        return self._written or (_json(self.data).decode(), _json(self.subscriptions).decode())

    def answers_to(self) -> frozenset[Identity]:
        return frozenset(identities_of(self.database.matchable, self.data, self.subscriptions))


def _measured(data: Mapping[str, JsonValue], subscriptions: Sequence[Subscription]) -> tuple[tuple[str, str], int]:
    """As it will be stored, and the bytes that it takes up at most; raises `ItemFailed` if they are too many."""
    encoded = _json(data), _json(subscriptions) if subscriptions else b"[]"
    size = sum(map(len, encoded))
    if size <= _SURELY_SMALL:
        size *= _LONGER
    elif any(map(_EXPONENT.search, encoded)):
        size += _spelled_out(data) + _spelled_out(subscriptions)
    if len(subscriptions) > MOST_SUBSCRIPTIONS or size > LARGEST_PROFILE:
        raise ItemFailed(Why.PROFILE_TOO_LARGE)
    return (encoded[0].decode(), encoded[1].decode()), size


def _size_of(data: Mapping[str, JsonValue], names: Iterable[str]) -> int:
    """Bytes that these fields take up at most, with what separates them from others."""
    fields = {name: data[name] for name in names if name in data}
    return len(_json(fields)) + _spelled_out(fields)


def _spelled_out(value: object) -> int:
    """How many bytes longer Postgres gives it back: 1e308 as 309 digits."""
    if isinstance(value, float):
        _, _, exponent = repr(value).partition("e")
        return abs(int(exponent or 0))
    inner = value.values() if isinstance(value, Mapping) else value if isinstance(value, list) else ()
    return sum(map(_spelled_out, inner))


def overlaid(
    data: Mapping[str, JsonValue], fields: Mapping[str, JsonValue], updates: Mapping[str, Update] | None = None
) -> tuple[dict[str, JsonValue], set[str]]:
    """The data with the fields laid over it, None taking one away, and which of them made a difference; raises `ItemFailed`."""
    laid = dict(data)
    changed = set()
    if updates:
        fields = {**fields, **{name: _updated(data, name, update) for name, update in updates.items()}}
    for name, value in fields.items():
        if value is None:
            if laid.pop(name, None) is not None:
                changed.add(name)
        elif name not in laid or not same(laid[name], value):
            if isinstance(value, _NESTED) and is_deeper(as_given(value), FIELD_LEVELS):
                raise ItemFailed(Why.PROFILE_TOO_LARGE, name)
            laid[name] = value
            changed.add(name)
    return laid, changed


def _updated(data: Mapping[str, JsonValue], name: str, update: Update) -> JsonValue:
    try:
        return update.applied(data.get(name))
    except ItemFailed as failed:
        raise failed.at(name) from None
