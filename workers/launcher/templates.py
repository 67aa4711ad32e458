"""Pure: fill the variables of a template."""

import html
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any

import msgspec

# Nothing else in braces is ours: CSS and JSON stay as they are.
_VARIABLE = re.compile(r"\{(lead|apicontent)\.([^{}\r\n]+)\}")


@dataclass(frozen=True)
class Rendered:
    """A filled template, and how many of its variables have no value."""

    text: str
    unknown: int


def render_text(template: str, variables: Mapping[str, Mapping[str, Any]]) -> Rendered:
    return _render(template, variables, str)


def render_html(template: str, variables: Mapping[str, Mapping[str, Any]]) -> Rendered:
    return _render(template, variables, html.escape)


def _render(template: str, variables: Mapping[str, Mapping[str, Any]], spell: Callable[[str], str]) -> Rendered:
    unknown = 0

    def fill(variable: re.Match[str]) -> str:
        nonlocal unknown
        value = _look_up(variables[variable[1]], variable[2])
        unknown += value is None
        return spell(_shown(value))

    # One pass only: braces inside a value are text.
    text = _VARIABLE.sub(fill, template)
    return Rendered(text, unknown)


def _look_up(value: Any, path: str) -> Any:
    for name in path.strip().split("."):
        if not isinstance(value, Mapping):
            return None
        value = value.get(name)
    return value


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
