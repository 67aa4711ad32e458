"""JSON with placeholders in its strings."""

import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any, NamedTuple

import msgspec

from schemas.templating.budget import Budget
from schemas.templating.conditions import Variables
from schemas.templating.rendering import LONGEST, Rendered, TooLong, of_text
from schemas.templating.templates import IncorrectTemplate, Template, check, read

_DEEPEST = 32


class Text(NamedTuple):
    """A string of it: with all others in mind it would be read for each launch again."""

    written: str
    read: Template


@lru_cache(maxsize=64)
def parsed(template: str) -> Any:
    """The JSON around its strings, each of them a `Text`; raises `IncorrectTemplate`, also for one that cannot be read."""
    check(template)
    try:
        whole = json.loads(template, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        raise IncorrectTemplate(f"line {error.lineno}, column {error.colno}: is no JSON ({error.msg})") from None
    except (RecursionError, ValueError) as error:
        raise IncorrectTemplate(f"is no JSON ({type(error).__name__})") from None
    return _read(whole, 0)


def filled(template: str, variables: Variables) -> Rendered:
    """Each string of it filled, and written as JSON: whatever a value holds, it stays in its string. Raises `TooLong`, `TooCostly`."""
    filling = _Filling(variables)
    return Rendered(msgspec.json.encode(filling.of(parsed(template))).decode(), filling.unknown)


def texts(template: str) -> Iterator[tuple[str, str]]:
    """Each string that is filled, and where it stands."""
    return _texts(parsed(template), "")


class _Filling:
    def __init__(self, variables: Variables) -> None:
        self._variables = variables
        # Of all of them together.
        self._budget = Budget()
        self._left = LONGEST
        self.unknown = 0

    def of(self, value: Any) -> Any:
        match value:
            case Text():
                rendered = of_text(self._variables, self._budget).rendered(value.read)
                self.unknown += rendered.unknown
                self._left -= len(rendered.text)
                if self._left < 0:
                    raise TooLong
                return rendered.text
            case dict():
                return {name: self.of(each) for name, each in value.items()}
            case list():
                return [self.of(each) for each in value]
            case _:
                return value


def _read(value: Any, depth: int) -> Any:
    if depth > _DEEPEST:
        raise IncorrectTemplate(f"has more than {_DEEPEST} levels")
    match value:
        case str():
            return Text(value, read(value))
        case dict():
            return {name: _read(each, depth + 1) for name, each in value.items()}
        case list():
            return [_read(each, depth + 1) for each in value]
        case _:
            return value


def _texts(value: Any, at: str) -> Iterator[tuple[str, str]]:
    match value:
        case Text():
            yield at, value.written
        case dict():
            for name, each in value.items():
                yield from _texts(each, f"{at}.{name}")
        case list():
            for number, each in enumerate(value):
                yield from _texts(each, f"{at}[{number}]")


def _no_number(name: str) -> None:
    raise ValueError(name)
