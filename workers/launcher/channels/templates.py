"""Pure: templates, read once and filled for each launch."""

import html
import re
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import quote

from workers.launcher.channels.conditions import SOURCES, Condition, IncorrectCondition, Variables, condition, is_true, look_up, shown

# A mail that is larger is nobody's, and would fill the launcher's memory.
_MOST = 4 * 1024 * 1024
_DEEPEST = 32
# Nothing else in braces is ours: CSS and JSON stay as they are. No semicolon, so that no script of a page is taken for a condition.
_TAG = re.compile(
    rf"\{{(?:(?P<source>{'|'.join(SOURCES)})\.(?P<path>[^{{}}\r\n]+)|(?P<link>unsubscribe)"
    r"|if[ \t]+(?P<condition>[^{};\r\n]+)|(?P<else>else)|(?P<end>end))\}"
)


class TooLong(Exception):
    """The template and its values make a text of more than 4 Mi characters."""


class IncorrectTemplate(Exception):
    """It cannot be read; the message says where, and why."""


@dataclass(frozen=True)
class Rendered:
    """A filled template, and how many of its variables have no value."""

    text: str
    unknown: int


@dataclass(frozen=True)
class Variable:
    source: str
    path: str


@dataclass
class Choice:
    """What stands between `{if …}`, `{else}` and `{end}`."""

    condition: Condition
    then: list["Part"] = field(default_factory=list)
    otherwise: list["Part"] | None = None


Part = str | Variable | Choice
Template = Sequence[Part]


def render_text(template: str, variables: Variables) -> Rendered:
    """Raises `TooLong`, and `IncorrectTemplate` for one that `profuse apply` would refuse."""
    return _Rendering(variables, str).rendered(read(template))


def render_html(template: str, variables: Variables) -> Rendered:
    """As `render_text` does; values are escaped."""
    return _Rendering(variables, html.escape).rendered(read(template))


def render_link(template: str, variables: Variables) -> Rendered:
    """As `render_text` does; a value is a part of an address, and encoded as one, unless the address begins with it."""
    return _Rendering(variables, str, lambda value: quote(value, safe="")).rendered(read(template))


def tags(template: str) -> Iterator[str]:
    """What is filled in, and decides what is, as it is written."""
    return (found[0] for found in _TAG.finditer(template))


# Each version of a trigger's is read once by a process that launches it.
@lru_cache(maxsize=64)
def read(template: str) -> Template:
    """Raises `IncorrectTemplate`."""
    whole: list[Part] = []
    # Where parts go; the choices that are open, where each one's parts went before, and its place.
    into = whole
    opened: list[tuple[Choice, list[Part], int]] = []
    at = 0
    for tag in _TAG.finditer(template):
        into.append(template[at : tag.start()])
        at = tag.end()
        if tag["link"] or tag["source"]:
            into.append(Variable("", tag["link"]) if tag["link"] else Variable(tag["source"], tag["path"].strip()))
        elif tag["condition"]:
            choice = Choice(_condition(template, tag))
            opened.append((choice, into, tag.start()))
            if len(opened) > _DEEPEST:
                raise IncorrectTemplate(f"{_place(template, tag.start())}: more than {_DEEPEST} conditions inside one another")
            into.append(choice)
            into = choice.then
        elif opened and tag["else"] and opened[-1][0].otherwise is None:
            into = opened[-1][0].otherwise = []
        elif opened and tag["end"]:
            _, into, _ = opened.pop()
        else:
            into.append(tag[0])
    if opened:
        raise IncorrectTemplate(f"{_place(template, opened[-1][2])}: the condition has no {{end}}")
    into.append(template[at:])
    return whole


def _condition(template: str, tag: re.Match[str]) -> Condition:
    try:
        return condition(tag["condition"])
    except IncorrectCondition as why:
        raise IncorrectTemplate(f"{_place(template, tag.start())}: the condition {why}") from None


def _place(template: str, at: int) -> str:
    return f"line {template.count(chr(10), 0, at) + 1}, column {at - template.rfind(chr(10), 0, at)}"


class _Rendering:
    """Bounded while it grows: a template that shows a long value often would be gigabytes."""

    def __init__(self, variables: Variables, first: Callable[[str], str], spell: Callable[[str], str] | None = None) -> None:
        self._variables = variables
        # How a value is spelled at the very beginning, and elsewhere.
        self._first, self._spell = first, spell or first
        self._pieces: list[str] = []
        self._left = _MOST
        self._unknown = 0

    def rendered(self, template: Template) -> Rendered:
        self._fill(template)
        return Rendered("".join(self._pieces), self._unknown)

    def _fill(self, parts: Sequence[Part]) -> None:
        for part in parts:
            match part:
                case str():
                    self._add(part)
                case Variable():
                    self._add((self._spell if any(self._pieces) else self._first)(self._value(part)))
                case Choice():
                    self._fill(part.then if is_true(part.condition, self._variables) else part.otherwise or ())

    def _value(self, variable: Variable) -> str:
        # A link stands for itself.
        value = look_up(self._variables.get(variable.source, {}), variable.path)
        self._unknown += value is None
        return shown(value)

    def _add(self, text: str) -> None:
        # One pass only: braces inside a value are text.
        self._left -= len(text)
        if self._left < 0:
            raise TooLong
        self._pieces.append(text)
