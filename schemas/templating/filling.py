"""JSON with placeholders in its strings."""

import json
import re
from collections import Counter
from collections.abc import Iterator
from contextlib import contextmanager
from functools import lru_cache
from math import isfinite
from typing import Any, NamedTuple

import msgspec

from schemas.templating.budget import Budget
from schemas.templating.conditions import Variables
from schemas.templating.lookalikes import check_lookalikes
from schemas.templating.rendering import LONGEST, Rendered, TooLong, of_text
from schemas.templating.templates import IncorrectTemplate, Template, check, read

_DEEPEST = 32
# JSON can write one, and UTF-8 cannot.
_HALF = re.compile("[\ud800-\udfff]")


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
    except RecursionError:
        raise IncorrectTemplate("is no JSON (nested too deeply)") from None
    except ValueError:
        raise IncorrectTemplate("is no JSON (a number has more digits than can be read)") from None
    return _read(whole, "", 0)


def filled(template: str, variables: Variables) -> Rendered:
    """Each string of it filled, and written as JSON: whatever a value holds, it stays in its string. Raises `TooLong`, `TooCostly`."""
    filling = _Filling(variables)
    return Rendered(msgspec.json.encode(filling.of(parsed(template))).decode(), filling.unknown)


def check_leaves(template: str) -> None:
    """Raises `IncorrectTemplate` for one that would not leave as it is written."""
    leaves = _leaves(parsed(template), "")
    # Of two members of one name the first would be lost.
    json.loads(template, object_pairs_hook=_each_once)
    for at, leaf in leaves:
        match leaf:
            # Its receivers would get a null.
            case float() if not isfinite(leaf):
                raise IncorrectTemplate(f"{_shown(at)} is a number that is too large to be sent")
            case Text():
                _check_written(leaf.written, at, filled=True)
            case str():
                _check_written(leaf, at, filled=False)


def texts(template: str) -> Iterator[tuple[str, str]]:
    """Each string that is filled, and where it stands."""
    return ((at, leaf.written) for at, leaf in _leaves(parsed(template), "") if isinstance(leaf, Text))


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


def _read(value: Any, at: str, depth: int) -> Any:
    if depth > _DEEPEST:
        raise IncorrectTemplate(f"has more than {_DEEPEST} levels")
    match value:
        case str():
            return _text(value, at)
        case dict():
            return {name: _read(each, f"{at}.{name}", depth + 1) for name, each in value.items()}
        case list():
            return [_read(each, f"{at}[{number}]", depth + 1) for number, each in enumerate(value)]
        case _:
            return value


def _text(written: str, at: str) -> Text:
    with _placed(at):
        return Text(written, read(written))


def _leaves(value: Any, at: str) -> Iterator[tuple[str, Any]]:
    """What is no object and no array, and the names of members; each with its place."""
    match value:
        case dict():
            for name, each in value.items():
                yield f"{at}.{name}", name
                yield from _leaves(each, f"{at}.{name}")
        case list():
            for number, each in enumerate(value):
                yield from _leaves(each, f"{at}[{number}]")
        case _:
            yield at, value


def _check_written(text: str, at: str, *, filled: bool) -> None:
    if _HALF.search(text):
        raise IncorrectTemplate(f"{_shown(at)} has half a character, which cannot be sent")
    with _placed(at):
        check_lookalikes(text, filled=filled)


@contextmanager
def _placed(at: str) -> Iterator[None]:
    try:
        yield
    except IncorrectTemplate as why:
        raise IncorrectTemplate(f"{_shown(at)}, {why}" if at else str(why)) from None


def _each_once(members: list[tuple[str, Any]]) -> None:
    if again := [name for name, count in Counter(name for name, _ in members).items() if count > 1]:
        raise IncorrectTemplate(f"has the member {_shown(again[0])} more than once")


def _shown(at: str) -> str:
    """For a person; it may hold what cannot be written."""
    return at.encode(errors="backslashreplace").decode() or "it"


def _no_number(name: str) -> None:
    raise IncorrectTemplate(f"is no JSON ({name} is none of its numbers)")
