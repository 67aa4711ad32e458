"""Templates, read once."""

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from schemas.templating.conditions import SOURCES, Condition, IncorrectCondition, checked, condition

_DEEPEST = 32
# Characters of all conditions together: they are read by whoever launches, who does nothing else meanwhile.
_MOST_CONDITIONS = 100_000
# Nothing else in braces is ours: CSS and JSON stay as they are. No semicolon, so that no script of a page is taken for a condition.
_TAG = re.compile(
    rf"\{{(?:(?P<source>{'|'.join(SOURCES)})\.(?P<path>[^{{}}\r\n]+)|(?P<link>unsubscribe)"
    r"|if[ \t]+(?P<condition>[^{};\r\n]+)|(?P<else>else)|(?P<end>end))\}"
)


class IncorrectTemplate(Exception):
    """It cannot be read; the message says where, and why."""


@dataclass(frozen=True)
class Variable:
    source: str
    path: str


@dataclass
class Choice:
    """What stands between `{if …}`, `{else}` and `{end}`."""

    condition: Condition
    # Where it begins in its template.
    at: int
    then: list["Part"] = field(default_factory=list)
    otherwise: list["Part"] | None = None


Part = str | Variable | Choice
Template = Sequence[Part]


def tags(template: str) -> Iterator[str]:
    """What is filled in, and decides what is, as it is written."""
    return (found[0] for found in _TAG.finditer(template))


def conditions(template: str) -> Iterator[str]:
    """Those of them that decide."""
    return (found[0] for found in _TAG.finditer(template) if not (found["source"] or found["link"]))


def check(template: str) -> None:
    """Raises `IncorrectTemplate` for one with too many conditions; also of the JSON around some."""
    if sum(len(tag["condition"] or "") for tag in _TAG.finditer(template)) > _MOST_CONDITIONS:
        raise IncorrectTemplate(f"its conditions have more than {_MOST_CONDITIONS:,} characters together")


# Each version of a trigger's is read once by a process that launches it.
@lru_cache(maxsize=64)
def read(template: str) -> Template:
    """Raises `IncorrectTemplate`."""
    check(template)
    whole: list[Part] = []
    # Where parts go; the choices that are open, where each one's parts went before, and its place.
    into = whole
    opened: list[tuple[Choice, list[Part], int]] = []
    at = 0
    for tag in _TAG.finditer(template):
        into.append(template[at : tag.start()])
        at = tag.end()
        if tag["link"] or tag["source"]:
            into.append(Variable("", tag["link"]) if tag["link"] else _variable(template, tag))
        elif tag["condition"]:
            choice = Choice(_condition(template, tag), tag.start())
            opened.append((choice, into, tag.start()))
            if len(opened) > _DEEPEST:
                raise IncorrectTemplate(f"{place(template, tag.start())}: more than {_DEEPEST} conditions inside one another")
            into.append(choice)
            into = choice.then
        elif opened and tag["else"] and opened[-1][0].otherwise is None:
            into = opened[-1][0].otherwise = []
        elif opened and tag["end"]:
            _, into, _ = opened.pop()
        else:
            into.append(tag[0])
    if opened:
        raise IncorrectTemplate(f"{place(template, opened[-1][2])}: the condition has no {{end}}")
    into.append(template[at:])
    return whole


def decided(template: Template) -> Iterator[str]:
    """The texts that conditions are around."""
    for choice in (part for part in template if isinstance(part, Choice)):
        inner = [*choice.then, *(choice.otherwise or ())]
        yield from (part for part in inner if isinstance(part, str))
        yield from decided(inner)


def _variable(template: str, tag: re.Match[str]) -> Variable:
    try:
        return Variable(tag["source"], checked(tag["path"].strip()))
    except IncorrectCondition as why:
        raise IncorrectTemplate(f"{place(template, tag.start())}: {why}") from None


def _condition(template: str, tag: re.Match[str]) -> Condition:
    try:
        return condition(tag["condition"])
    except IncorrectCondition as why:
        raise IncorrectTemplate(f"{place(template, tag.start())}: the condition {why}") from None


def place(template: str, at: int) -> str:
    """For a person."""
    return f"line {template.count(chr(10), 0, at) + 1}, column {at - template.rfind(chr(10), 0, at)}"
