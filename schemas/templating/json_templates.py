"""Pure: JSON whose strings are templates, and where in it something stands."""

import json
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Any, NamedTuple

from schemas.templating.templates import IncorrectTemplate, Template, check, stored

_DEEPEST = 32
_LONGEST_NAME = 100
# The names and numbers that lead to a value, which become a text for a person alone: of all values that would be their square.
Place = tuple[str | int, ...]


class Text(NamedTuple):
    """A string of it: with all others in mind it would be read for each launch again."""

    written: str
    read: Template


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
    return _read(whole, ())


def leaves(value: Any, at: Place) -> Iterator[tuple[Place, Any]]:
    """What is no object and no array, and the names of members; each with its place."""
    match value:
        case dict():
            for name, each in value.items():
                yield (*at, name), name
                yield from leaves(each, (*at, name))
        case list():
            for number, each in enumerate(value):
                yield from leaves(each, (*at, number))
        case _:
            yield at, value


@contextmanager
def placed(at: Place) -> Iterator[None]:
    try:
        yield
    except IncorrectTemplate as why:
        raise IncorrectTemplate(f"{shown(at)}, {why}" if at else str(why)) from None


def shown(at: Place) -> str:
    """For a person."""
    return path(at) or "it"


def path(at: Place) -> str:
    return "".join(f"[{step}]" if isinstance(step, int) else f".{shown_name(step)}" for step in at)


def shown_name(given: str) -> str:
    """Of a member; it may be long, and hold what cannot be written."""
    short = given if len(given) <= _LONGEST_NAME else f"{given[:_LONGEST_NAME]}…"
    return short.encode(errors="backslashreplace").decode()


def _read(value: Any, at: Place) -> Any:
    if len(at) > _DEEPEST:
        raise IncorrectTemplate(f"has more than {_DEEPEST} levels")
    match value:
        case str():
            return _text(value, at)
        case dict():
            return {name: _read(each, (*at, name)) for name, each in value.items()}
        case list():
            return [_read(each, (*at, number)) for number, each in enumerate(value)]
        case _:
            return value


def _text(written: str, at: Place) -> Text:
    with placed(at):
        return Text(written, stored(written))


def _no_number(name: str) -> None:
    raise IncorrectTemplate(f"is no JSON ({name} is none of its numbers)")
