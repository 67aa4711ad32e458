"""Whether two JSON values are equal."""

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
    if one == other:
        return isinstance(one, bool) == isinstance(other, bool)
    return {type(one), type(other)} == {int, float} and _same_float(one, other)


def outline(value: JsonValue) -> int:
    """What is the same for equal values, and seldom for others."""
    if isinstance(value, dict):
        return hash(frozenset((name, outline(each)) for name, each in value.items()))
    if isinstance(value, list):
        return hash(tuple(map(outline, value)))
    if type(value) is int:
        # Equal to a float as `_same_float` has it.
        try:
            return hash(float(value))
        except OverflowError:
            return hash(value)
    return hash(value)


def _same_float(one: float, other: float) -> bool:
    """Postgres keeps 1e23 as the digits of a whole number, and no float has all of them."""
    try:
        return float(one) == float(other)
    except OverflowError:
        return False
