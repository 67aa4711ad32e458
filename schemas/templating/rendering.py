"""Templates filled for a launch."""

import html
from collections.abc import Callable, Sequence
from typing import NamedTuple
from urllib.parse import quote

from schemas.templating.budget import Budget
from schemas.templating.conditions import Variables, is_true, look_up
from schemas.templating.spelling import shown
from schemas.templating.templates import Choice, Part, Variable, read

# A mail that is larger is nobody's, and would fill the launcher's memory.
LONGEST = 4 * 1024 * 1024


class TooLong(Exception):
    """The template and its values make a text of more than 4 Mi characters."""


class Rendered(NamedTuple):
    """A filled template, and how many of its variables have no value."""

    text: str
    unknown: int


def render_text(template: str, variables: Variables) -> Rendered:
    """Raises `TooLong`, `TooCostly`, and `IncorrectTemplate` for one that `profuse apply` would refuse."""
    return of_text(variables).rendered(read(template))


def render_html(template: str, variables: Variables) -> Rendered:
    """As `render_text` does; values are escaped."""
    return of_html(variables).rendered(read(template, html=True))


def render_link(template: str, variables: Variables) -> Rendered:
    """As `render_text` does; a value is a part of an address, and encoded as one, unless the address begins with it."""
    return of_link(variables).rendered(read(template))


class Filling:
    """Bounded while it grows: a template that shows a long value often would be gigabytes. So is what it looks at."""

    def __init__(
        self, variables: Variables, budget: Budget, first: Callable[[str], str], spell: Callable[[str], str] | None = None
    ) -> None:
        self._variables = variables
        self._budget = budget
        # How a value is spelled at the very beginning, and elsewhere.
        self._first, self._spell = first, spell or first
        self._pieces: list[str] = []
        self._left = LONGEST
        self._unknown = 0

    def rendered(self, parts: Sequence[Part], *, begun: bool = False) -> Rendered:
        """`begun`: something stands before them."""
        self._begun = begun
        self._fill(parts)
        return Rendered("".join(self._pieces), self._unknown)

    def _fill(self, parts: Sequence[Part]) -> None:
        for part in parts:
            match part:
                case str():
                    self._add(part)
                case Variable():
                    self._add((self._spell if self._begun else self._first)(self._value(part)))
                case Choice():
                    self._fill(part.then if is_true(part.condition, self._variables, self._budget) else part.otherwise or ())

    def _value(self, variable: Variable) -> str:
        # A link stands for itself.
        value = look_up(self._variables.get(variable.source, {}), variable.path)
        self._unknown += value is None
        return shown(value, self._budget)

    def _add(self, text: str) -> None:
        # One pass only: braces inside a value are text.
        self._left -= len(text)
        if self._left < 0:
            raise TooLong
        self._begun = self._begun or bool(text)
        self._pieces.append(text)


def of_text(variables: Variables, budget: Budget | None = None) -> Filling:
    return Filling(variables, budget or Budget(), str)


def of_html(variables: Variables) -> Filling:
    return Filling(variables, Budget(), html.escape)


def of_link(variables: Variables) -> Filling:
    return Filling(variables, Budget(), str, lambda value: quote(value, safe=""))
