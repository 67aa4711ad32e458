"""Templates, read once."""

from collections.abc import Iterator, Sequence
from dataclasses import dataclass, field
from functools import lru_cache

from schemas.templating.conditions import Condition, IncorrectCondition, checked, condition
from schemas.templating.tags import ELSE, END, Tag, tags

_DEEPEST = 32
# Characters of all conditions together: they are read by whoever launches, who does nothing else meanwhile.
_MOST_CONDITIONS = 100_000


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


def check(template: str, *, html: bool = False) -> None:
    """Raises `IncorrectTemplate` for one with too many conditions; also of the JSON around some."""
    if sum(len(tag.condition) for tag in tags(template, html=html)) > _MOST_CONDITIONS:
        raise IncorrectTemplate(f"its conditions have more than {_MOST_CONDITIONS:,} characters together")


# Each version of a trigger's is read once by a process that launches it.
@lru_cache(maxsize=64)
def read(template: str, *, html: bool = False) -> Template:
    """`html`: as an editor of HTML may have written it. Raises `IncorrectTemplate`."""
    check(template, html=html)
    whole: list[Part] = []
    # Where parts go; the choices that are open, where each one's parts went before, and its place.
    into = whole
    opened: list[tuple[Choice, list[Part], int]] = []
    at = 0
    for tag in tags(template, html=html):
        into.append(template[at : tag.at])
        at = tag.at + len(tag.written)
        if not tag.decides:
            into.append(Variable("", tag.link) if tag.link else _variable(template, tag))
        elif tag.condition:
            choice = Choice(_condition(template, tag), tag.at)
            opened.append((choice, into, tag.at))
            if len(opened) > _DEEPEST:
                raise IncorrectTemplate(f"{place(template, tag.at)}: more than {_DEEPEST} conditions inside one another")
            into.append(choice)
            into = choice.then
        elif opened and tag.written == ELSE and opened[-1][0].otherwise is None:
            into = opened[-1][0].otherwise = []
        elif opened and tag.written == END:
            _, into, _ = opened.pop()
        else:
            into.append(tag.written)
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


def _variable(template: str, tag: Tag) -> Variable:
    try:
        return Variable(tag.source, checked(tag.path.strip()))
    except IncorrectCondition as why:
        raise IncorrectTemplate(f"{place(template, tag.at)}: {why}") from None


def _condition(template: str, tag: Tag) -> Condition:
    try:
        return condition(tag.condition)
    except IncorrectCondition as why:
        raise IncorrectTemplate(f"{place(template, tag.at)}: the condition {why}") from None


def place(template: str, at: int) -> str:
    """For a person."""
    return f"line {template.count(chr(10), 0, at) + 1}, column {at - template.rfind(chr(10), 0, at)}"
