"""Pure: what may stand behind `if` in a template."""

import re
from collections import deque
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

from schemas.templating.budget import ELEMENT, Budget
from schemas.templating.spelling import number, shown

Variables = Mapping[str, Mapping[str, Any]]
"""What is known of a launch, by source and name."""

Condition = Callable[[Variables, Budget], Any]

SOURCES = ("lead", "subscription", "apicontent")

_TOKEN = re.compile(r"""\s*(?:(?P<mark>[()])|"(?P<double>[^"]*)"|'(?P<single>[^']*)'|(?P<word>[^\s()"']+))""")
_NUMBER = re.compile(r"-?[0-9]+(?:\.[0-9]+)?")
_CONSTANTS = {"true": True, "false": False}
_LONGEST = 1_000
_DEEPEST = 32
# Every dot is a place where a name may end.
_MOST_DOTS = 32


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


def checked(path: str) -> str:
    """One that can be looked up at once; raises `IncorrectCondition`."""
    if len(path) > _LONGEST or path.count(".") > _MOST_DOTS:
        raise IncorrectCondition(f"names a value by more than {_LONGEST} characters or {_MOST_DOTS} dots")
    return path


def condition(written: str) -> Condition:
    """`and`, `or`, `not`, `equal`, `contains`, `in`, round brackets, variables, texts in quotes and numbers; raises `IncorrectCondition`.

    Values and numbers are compared as they would be shown, so that 7 equals "7", and 7.0 does.
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
        self.left = deque(tokens)
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
            return lambda variables, budget: not _is_true(denied(variables, budget))
        read = self._operand()
        for word, compared in _COMPARED.items():
            if self._takes(word):
                return compared(read, self._operand())
        return read

    def _operand(self) -> Condition:
        if not self.left:
            raise IncorrectCondition("ends too early")
        token = self.left.popleft()
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
        # Asked up to ten times for each token.
        if self.left and self.left[0].text == word and not self.left[0].quoted:
            self.left.popleft()
            return True
        return False


def _operand(token: _Token) -> Condition:
    if token.quoted:
        return lambda _, __: token.text
    if token.text in _CONSTANTS or _NUMBER.fullmatch(token.text):
        constant = _CONSTANTS[token.text] if token.text in _CONSTANTS else number(token.text)
        return lambda _, __: constant
    source, _, path = token.text.partition(".")
    if source not in SOURCES or not path:
        raise IncorrectCondition(f"does not know {token.text}")
    checked(path)
    return lambda variables, _: look_up(variables[source], path)


def _or(one: Condition, other: Condition) -> Condition:
    return lambda variables, budget: _is_true(one(variables, budget)) or _is_true(other(variables, budget))


def _and(one: Condition, other: Condition) -> Condition:
    return lambda variables, budget: _is_true(one(variables, budget)) and _is_true(other(variables, budget))


def _is_true(value: Any) -> bool:
    return bool(value) and value != "0"


def _equal(one: Any, other: Any, budget: Budget) -> bool:
    texts = shown(one, budget), shown(other, budget)
    budget.characters(min(map(len, texts)))
    return texts[0] == texts[1]


def _contains(one: Any, other: Any, budget: Budget) -> bool:
    """Of a list one of its elements; of anything else a part of its text. Nothing contains what is not there."""
    wanted = shown(other, budget)
    if isinstance(one, list):
        budget.elements(len(one))
        if len(wanted) > ELEMENT:
            # Another length tells texts apart at once; these may differ in their last character. Shorter ones count as elements.
            budget.characters(len(wanted) * sum(isinstance(each, str) and len(each) == len(wanted) for each in one))
        # Texts at once, as of tags there may be 100,000.
        return wanted in one or any(not isinstance(each, str) and shown(each, budget) == wanted for each in one)
    text = shown(one, budget)
    budget.characters(len(text))
    return bool(wanted) and wanted in text


def _compared(holds: Callable[[Any, Any, Budget], bool]) -> Callable[[Condition, Condition], Condition]:
    return lambda one, other: lambda variables, budget: holds(one(variables, budget), other(variables, budget), budget)


_COMPARED = {
    "equal": _compared(_equal),
    "contains": _compared(_contains),
    "in": _compared(lambda one, other, budget: _contains(other, one, budget)),
}


def is_true(read: Condition, variables: Variables, budget: Budget) -> bool:
    """Whether it holds; what is not there, empty or 0 does not. Raises `TooCostly`."""
    return _is_true(read(variables, budget))
