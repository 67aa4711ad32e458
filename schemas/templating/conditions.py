"""Pure: what may stand behind `if` in a template."""

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

Variables = Mapping[str, Mapping[str, Any]]
"""What is known of a launch, by source and name."""

Condition = Callable[[Variables], Any]

SOURCES = ("lead", "subscription", "apicontent")

_TOKEN = re.compile(r"""\s*(?:(?P<mark>[()])|"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<word>[^\s()"']+))""")
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_CONSTANTS = {"true": True, "false": False}
_LONGEST = 1_000
_DEEPEST = 32


class IncorrectCondition(Exception):
    """It cannot be read; the message says why."""


def look_up(value: Any, path: str) -> Any:
    """A whole name goes before a path, and a longer one before a shorter: names may hold dots themselves."""
    if not isinstance(value, Mapping):
        return None
    if path in value:
        return value[path]
    at = len(path)
    while (at := path.rfind(".", 0, at)) >= 0:
        if path[:at] in value:
            return look_up(value[path[:at]], path[at + 1 :])
    return None


def shown(value: Any) -> str:
    """A value as text."""
    match value:
        case None:
            return ""
        case str():
            return value
        case list():
            return ", ".join(shown(each) for each in value)
        case _:
            return msgspec.json.encode(value).decode()


def condition(written: str) -> Condition:
    """`and`, `or`, `not`, `equal`, `contains`, `in`, round brackets, variables, texts in quotes and numbers; raises `IncorrectCondition`.

    Values are compared as they would be shown, so that 7 equals "7".
    """
    if len(written) > _LONGEST:
        raise IncorrectCondition(f"has more than {_LONGEST} characters")
    reader = _Reader(_tokens(written))
    read = reader.either()
    if reader.left:
        raise IncorrectCondition(f"does not go on with {reader.left[0].text}")
    return read


@dataclass(frozen=True)
class _Token:
    text: str
    quoted: bool = False


def _tokens(written: str) -> list[_Token]:
    tokens, at, text = [], 0, written.rstrip()
    while at < len(text):
        found = _TOKEN.match(text, at)
        if found is None:
            raise IncorrectCondition("has a quote that does not end")
        quoted = found["double"] if found["double"] is not None else found["single"]
        tokens.append(_Token(found["mark"] or found["word"] or "") if quoted is None else _Token(quoted, quoted=True))
        at = found.end()
    return tokens


class _Reader:
    """Reads one rule after the other; what is left has not been looked at."""

    def __init__(self, tokens: list[_Token]) -> None:
        self.left = tokens
        self._depth = 0

    def either(self) -> Condition:
        read = self._both()
        while self._takes("or"):
            read = _or(read, self._both())
        return read

    def _both(self) -> Condition:
        read = self._one()
        while self._takes("and"):
            read = _and(read, self._one())
        return read

    def _one(self) -> Condition:
        if self._takes("not"):
            denied = self._one()
            return lambda variables: not _is_true(denied(variables))
        read = self._operand()
        for word, compared in _COMPARED.items():
            if self._takes(word):
                return compared(read, self._operand())
        return read

    def _operand(self) -> Condition:
        if not self.left:
            raise IncorrectCondition("ends too early")
        token = self.left.pop(0)
        return self._inner() if token == _Token("(") else _operand(token)

    def _inner(self) -> Condition:
        self._depth += 1
        if self._depth > _DEEPEST:
            raise IncorrectCondition(f"has more than {_DEEPEST} brackets inside one another")
        read = self.either()
        self._depth -= 1
        if not self._takes(")"):
            raise IncorrectCondition("has a bracket that does not close")
        return read

    def _takes(self, word: str) -> bool:
        if self.left and self.left[0] == _Token(word):
            del self.left[0]
            return True
        return False


def _operand(token: _Token) -> Condition:
    if token.quoted:
        return lambda _: token.text
    if token.text in _CONSTANTS or _NUMBER.fullmatch(token.text):
        constant = _CONSTANTS.get(token.text, token.text)
        return lambda _: constant
    source, _, path = token.text.partition(".")
    if source not in SOURCES or not path:
        raise IncorrectCondition(f"does not know {token.text}")
    return lambda variables: look_up(variables[source], path)


def _or(one: Condition, other: Condition) -> Condition:
    return lambda variables: _is_true(one(variables)) or _is_true(other(variables))


def _and(one: Condition, other: Condition) -> Condition:
    return lambda variables: _is_true(one(variables)) and _is_true(other(variables))


def _is_true(value: Any) -> bool:
    return bool(value) and value != "0"


def _equal(one: Any, other: Any) -> bool:
    return shown(one) == shown(other)


def _contains(one: Any, other: Any) -> bool:
    """Of a list one of its elements; of anything else a part of its text. Nothing contains what is not there."""
    wanted = shown(other)
    if isinstance(one, list):
        return any(shown(each) == wanted for each in one)
    return bool(wanted) and wanted in shown(one)


def _compared(holds: Callable[[Any, Any], bool]) -> Callable[[Condition, Condition], Condition]:
    return lambda one, other: lambda variables: holds(one(variables), other(variables))


_COMPARED = {
    "equal": _compared(_equal),
    "contains": _compared(_contains),
    "in": _compared(lambda one, other: _contains(other, one)),
}


def is_true(read: Condition, variables: Variables) -> bool:
    """Whether it holds; what is not there, empty or 0 does not."""
    return _is_true(read(variables))
