"""How a functional update is written, which changes a stored value instead of replacing it."""

from collections.abc import Mapping
from typing import Any, TypeGuard

_WORDS = frozenset({"set", "unset", "incr", "add", "delete", "upsert"})
_KEYS = frozenset({"action", "value", "submatch"})


def has_the_form(value: Mapping[str, Any]) -> bool:
    """Whether it is written as one, of whatever word."""
    return "action" in value and value.keys() <= _KEYS


def is_update(value: object) -> TypeGuard[dict[str, Any]]:
    """Whether it is read as one wherever a value belongs, in an object's place too."""
    return isinstance(value, dict) and has_the_form(value) and isinstance(value["action"], str) and value["action"] in _WORDS


def as_given(stored: Any) -> Any:
    """A stored value as a request has to write it, so that it is read as that value again."""
    return {"action": "set", "value": stored} if is_update(stored) else stored
