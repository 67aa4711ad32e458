"""Whether two JSON values are equal."""

from decimal import Decimal

import msgspec

from schemas.values import JsonValue


def same(one: JsonValue, other: JsonValue) -> bool:
    """Equal as JSON; Python's own comparison takes true for 1."""
    # Nearly all are texts.
    if type(one) is str:
        return type(other) is str and one == other
    if isinstance(one, dict) and isinstance(other, dict):
        return one.keys() == other.keys() and all(same(value, other[name]) for name, value in one.items())
    if isinstance(one, list) and isinstance(other, list):
        return len(one) == len(other) and all(map(same, one, other))
    if type(one) is type(other):
        return bool(one == other)
    return {type(one), type(other)} == {int, float} and _as_kept(one) == _as_kept(other)


def canonical(value: JsonValue) -> bytes:
    """What is the same for equal values, and for no others.

    It is for sets: a text's hash has a secret. Of numbers -1 and -2 have one hash, so whoever knows that can make thousands of objects
    that have, and each would be compared with each.
    """
    return msgspec.json.encode(_spelled(value), order="sorted")


def _spelled(value: JsonValue) -> JsonValue:
    if isinstance(value, dict):
        return {name: _spelled(each) for name, each in value.items()}
    if isinstance(value, list):
        return [_spelled(each) for each in value]
    return _as_kept(value)


def _as_kept(value: JsonValue) -> JsonValue:
    """Postgres keeps 1e23 as the digits of a whole number, and no float has all of them."""
    return int(Decimal(repr(value))) if isinstance(value, float) and value.is_integer() else value
