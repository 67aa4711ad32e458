"""Pure: how a value is written in a text, and so what it is compared by."""

from typing import Any

import msgspec

from schemas.templating.budget import Budget

# From here on floats are written as powers of ten.
_WRITTEN_OUT = 1e15


def shown(value: Any, budget: Budget) -> str:
    """A value as text; raises `TooCostly`."""
    # As nearly always.
    if isinstance(value, str):
        return value
    if value is None:
        return ""
    if isinstance(value, list):
        budget.elements(1 + len(value))
        text = ", ".join([each if isinstance(each, str) else shown(each, budget) for each in value])
    else:
        text = _json(value, budget)
    # However few its elements are.
    budget.characters(len(text))
    return text


def number(written: str) -> str:
    """One of a condition, as a field would show it."""
    # Without a point it may be a post code that begins with 0.
    return _json(float(written), Budget()) if "." in written else written


def _json(value: Any, budget: Budget) -> str:
    text = msgspec.json.encode(value).decode()
    # A field for floats keeps 5 as 5.0, which nobody has written.
    return msgspec.json.encode(_whole(value, budget)).decode() if ".0" in text else text


def _whole(value: Any, budget: Budget) -> Any:
    match value:
        case float():
            return int(value) if value.is_integer() and abs(value) < _WRITTEN_OUT else value
        case dict():
            # Slower than what makes the JSON, which counts by its characters.
            budget.elements(len(value))
            return {name: _whole(each, budget) for name, each in value.items()}
        case list():
            budget.elements(len(value))
            return [_whole(each, budget) for each in value]
        case _:
            return value
