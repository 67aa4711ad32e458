"""JSON with placeholders in its strings: asked before it is stored, and filled for each launch."""

import json
import re
from collections import Counter
from collections.abc import Iterator, Sequence
from functools import lru_cache
from itertools import groupby, islice
from math import isfinite
from typing import Any

import msgspec

from schemas.templating.budget import Budget
from schemas.templating.conditions import Variables
from schemas.templating.json_templates import Place, Text, leaves, parsed, path, placed, shown, shown_name
from schemas.templating.lookalikes import check_lookalikes
from schemas.templating.rendering import LONGEST, Rendered, TooLong, of_text
from schemas.templating.templates import IncorrectTemplate, Template, read

# Names and values: whoever launches reads all of them, and does nothing else meanwhile.
_MOST = 10_000
# Each of them; a text that does not end goes to the end, or each of its quotes would be the next one's beginning.
_NAME_OR_VALUE = re.compile(r'"(?:[^"\\]++|\\.)*+"?|[\[{]|[^\s",:\[\]{}]++', re.DOTALL)
# JSON can write one, and UTF-8 cannot.
_HALF = re.compile("[\ud800-\udfff]")


def filled(template: str, variables: Variables) -> Rendered:
    """Each string of it filled, and written as JSON: whatever a value holds, it stays in its string. Raises `TooLong`, `TooCostly`."""
    # Of all strings together.
    budget, left, unknown = Budget(), LONGEST, 0
    written = []
    for piece in _pieces(template):
        if isinstance(piece, str):
            left -= len(piece)
            written.append(piece)
        else:
            rendered = of_text(variables, budget).rendered(piece)
            left -= len(rendered.text)
            unknown += rendered.unknown
            written.append(_json(rendered.text))
        if left < 0:
            raise TooLong
    return Rendered("".join(written), unknown)


def check_leaves(template: str) -> None:
    """Raises `IncorrectTemplate` for one that would not leave as it is written."""
    if sum(1 for _ in islice(_NAME_OR_VALUE.finditer(template), _MOST + 1)) > _MOST:
        raise IncorrectTemplate(f"has more than {_MOST:,} names and values")
    whole = parsed(template)
    # Of two members of one name the first would be lost.
    json.loads(template, object_pairs_hook=_each_once)
    for at, leaf in leaves(whole, ()):
        match leaf:
            # Its receivers would get a null.
            case float() if not isfinite(leaf):
                raise IncorrectTemplate(f"{shown(at)} is a number that is too large to be sent")
            case Text():
                _check_written(leaf.written, at, filled=True)
            case str():
                _check_written(leaf, at, filled=False)


def texts(template: str) -> Iterator[tuple[str, str]]:
    """Each string that is filled, and where it stands."""
    return ((path(at), leaf.written) for at, leaf in leaves(parsed(template), ()) if isinstance(leaf, Text))


@lru_cache(maxsize=64)
def _pieces(template: str) -> Sequence[str | Template]:
    """What is filled, and between it JSON that each launch has."""
    pieces: list[str | Template] = []
    for is_json, some in groupby(_json_around(parsed(template)), lambda piece: isinstance(piece, str)):
        if is_json:
            pieces.append("".join(map(str, some)))
        else:
            pieces.extend(some)
    return pieces


def _json_around(value: Any) -> Iterator[str | Template]:
    match value:
        case Text():
            same = [part for part in value.read if isinstance(part, str)]
            yield _json("".join(same)) if len(same) == len(value.read) else value.read
        case dict():
            for number, (name, each) in enumerate(value.items()):
                yield f"{',' if number else '{'}{_json(name)}:"
                yield from _json_around(each)
            yield "}" if value else "{}"
        case list():
            for number, each in enumerate(value):
                yield "," if number else "["
                yield from _json_around(each)
            yield "]" if value else "[]"
        case _:
            yield _json(value)


def _json(value: Any) -> str:
    return msgspec.json.encode(value).decode()


def _check_written(text: str, at: Place, *, filled: bool) -> None:
    if _HALF.search(text):
        raise IncorrectTemplate(f"{shown(at)} has half a character, which cannot be sent")
    with placed(at):
        if filled:
            read(text)
        check_lookalikes(text, filled=filled)


def _each_once(members: list[tuple[str, Any]]) -> None:
    if again := [name for name, count in Counter(name for name, _ in members).items() if count > 1]:
        raise IncorrectTemplate(f"has the member {shown_name(again[0])} more than once")
