"""JSON with placeholders in its strings."""

import json
from collections.abc import Iterator
from functools import lru_cache
from typing import Any

import msgspec

from schemas.templating.conditions import Variables
from schemas.templating.rendering import Rendered, TooLong, render_text
from schemas.templating.templates import IncorrectTemplate, read

_MOST = 4 * 1024 * 1024
_DEEPEST = 32


@lru_cache(maxsize=64)
def parsed(template: str) -> Any:
    """The JSON around the placeholders; raises `IncorrectTemplate`, also for a string in it that cannot be read."""
    try:
        whole = json.loads(template, parse_constant=_no_number)
    except json.JSONDecodeError as error:
        raise IncorrectTemplate(f"line {error.lineno}, column {error.colno}: is no JSON ({error.msg})") from None
    except (RecursionError, ValueError) as error:
        raise IncorrectTemplate(f"is no JSON ({type(error).__name__})") from None
    _check(whole, 0)
    return whole


def filled(template: str, variables: Variables) -> Rendered:
    """Each string of it filled, and written as JSON: whatever a value holds, it stays inside its string. Raises `TooLong`."""
    filling = _Filling(variables)
    return Rendered(msgspec.json.encode(filling.of(parsed(template))).decode(), filling.unknown)


def texts(template: str) -> Iterator[tuple[str, str]]:
    """Each string that is filled, and where it stands."""
    return _texts(parsed(template), "")


class _Filling:
    def __init__(self, variables: Variables) -> None:
        self._variables = variables
        self._left = _MOST
        self.unknown = 0

    def of(self, value: Any) -> Any:
        match value:
            case str():
                rendered = render_text(value, self._variables)
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


def _check(value: Any, depth: int) -> None:
    if depth > _DEEPEST:
        raise IncorrectTemplate(f"has more than {_DEEPEST} levels")
    match value:
        case str():
            read(value)
        case dict() | list():
            for each in value.values() if isinstance(value, dict) else value:
                _check(each, depth + 1)


def _texts(value: Any, at: str) -> Iterator[tuple[str, str]]:
    match value:
        case str():
            yield at, value
        case dict():
            for name, each in value.items():
                yield from _texts(each, f"{at}.{name}")
        case list():
            for number, each in enumerate(value):
                yield from _texts(each, f"{at}[{number}]")


def _no_number(name: str) -> None:
    raise ValueError(name)
