"""What each condition of a template decides, and what either of its branches makes; for a person who wants to see both."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass

from schemas.templating.budget import Budget
from schemas.templating.conditions import Variables, is_true
from schemas.templating.filling import texts
from schemas.templating.rendering import Filling, of_html, of_link, of_text
from schemas.templating.templates import Choice, Part, place, read

Spelling = Callable[[Variables], Filling]

# Of a trigger's keys; what is in none of them is no template.
_SPELLINGS: Mapping[str, Spelling] = {"subject": of_text, "html": of_html, "text": of_text, "title": of_text, "link": of_link}


@dataclass(frozen=True)
class Branches:
    """A condition: where it stands, how it is written, whether it holds, and what would stand in its place if it did, and if not."""

    where: str
    written: str
    holds: bool
    then: str
    otherwise: str


def branches(key: str, template: str, variables: Variables) -> Iterator[Branches]:
    """Of all conditions in a trigger's key, inner ones too, in the order in which they stand there. Raises what rendering raises."""
    if key == "body":
        for at, text in texts(template):
            yield from _of(f"{key}{at}", text, variables, of_text)
    elif key in _SPELLINGS:
        yield from _of(key, template, variables, _SPELLINGS[key])


def _of(key: str, template: str, variables: Variables, spelling: Spelling) -> Iterator[Branches]:
    for choice in _choices(read(template, html=spelling is of_html)):
        written = template[choice.at : template.index("}", choice.at) + 1]
        either = (choice.then, choice.otherwise or ())
        then, otherwise = (spelling(variables).rendered(parts, begun=choice.at > 0).text for parts in either)
        yield Branches(f"{key}, {place(template, choice.at)}", written, is_true(choice.condition, variables, Budget()), then, otherwise)


def _choices(parts: Sequence[Part]) -> Iterator[Choice]:
    for part in parts:
        if isinstance(part, Choice):
            yield part
            yield from _choices(part.then)
            yield from _choices(part.otherwise or ())
