"""Pure: fill the variables of a template."""

import html
import re
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

# A mail that is larger is nobody's, and would fill the launcher's memory.
_MOST = 4 * 1024 * 1024
# Nothing else in braces is ours: CSS and JSON stay as they are.
_VARIABLE = re.compile(r"\{(lead|apicontent)\.([^{}\r\n]+)\}")
# What templates will mean one day; a blank after `if` and no semicolon, so that no script of a page is taken for it.
_LATER = re.compile(r"\{(?:(subscription)\.[^{}\r\n]+|(unsubscribe)|(if)[ \t][^{};\r\n]+)\}")


class TooLong(Exception):
    """The template and its values make a text of more than 4 Mi characters."""


@dataclass(frozen=True)
class Rendered:
    """A filled template, and how many of its variables have no value."""

    text: str
    unknown: int


def render_text(template: str, variables: Mapping[str, Mapping[str, Any]]) -> Rendered:
    """Raises `TooLong`."""
    return _render(template, variables, str)


def render_html(template: str, variables: Mapping[str, Mapping[str, Any]]) -> Rendered:
    """Raises `TooLong`."""
    return _render(template, variables, html.escape)


def unbuilt(template: str) -> Iterator[tuple[int, str]]:
    """What it uses and no version can fill yet: the line, from 1, and the name."""
    for found in _LATER.finditer(template):
        name = {"subscription": "{subscription.…}", "unsubscribe": "{unsubscribe}", "if": "{if …}"}[found[found.lastindex or 0]]
        yield template.count("\n", 0, found.start()) + 1, name


def _render(template: str, variables: Mapping[str, Mapping[str, Any]], spell: Callable[[str], str]) -> Rendered:
    unknown, left = 0, _MOST - len(template)

    def fill(variable: re.Match[str]) -> str:
        nonlocal unknown, left
        value = _look_up(variables[variable[1]], variable[2].strip())
        unknown += value is None
        spelled = spell(_shown(value))
        left -= len(spelled)
        # Asked while it grows: a template that shows a long value often would be gigabytes.
        if left < 0:
            raise TooLong
        return spelled

    # One pass only: braces inside a value are text.
    text = _VARIABLE.sub(fill, template)
    if left < 0:
        raise TooLong
    return Rendered(text, unknown)


def _look_up(value: Any, path: str) -> Any:
    """A whole name goes before a path, and a longer one before a shorter: names may hold dots themselves."""
    if not isinstance(value, dict):
        return None
    if path in value:
        return value[path]
    at = len(path)
    while (at := path.rfind(".", 0, at)) >= 0:
        if path[:at] in value:
            return _look_up(value[path[:at]], path[at + 1 :])
    return None


def _shown(value: Any) -> str:
    match value:
        case None:
            return ""
        case str():
            return value
        case list():
            return ", ".join(_shown(each) for each in value)
        case _:
            return msgspec.json.encode(value).decode()
