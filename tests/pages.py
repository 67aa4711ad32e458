"""Examples that stand on pages: what is to be run, and what stands below it."""

import re
from collections.abc import Iterator
from typing import NamedTuple

_EXAMPLE = re.compile(r"(?P<soon><!-- soon -->\n)?```(?P<language>\w+)\n(?P<code>.+?)```\n(?:\n```\n(?P<prints>.+?)```)?", re.DOTALL)
# What is another one in every run, as it looks.
_OTHERS = {r"\b[0-9a-f]{24}\b": "ID", r"127\.0\.0\.1:\d+": "ADDRESS"}
_ANYTHING = {"…": ".*", "…\n": "(?:.*\n)?"}


class Example(NamedTuple):
    """A fenced block, and the plain one below it, if any; `soon` is one that shows it after a moment only."""

    code: str
    prints: str | None
    soon: bool


def examples(page: str, language: str) -> Iterator[Example]:
    """Those of a language, in their order."""
    for found in _EXAMPLE.finditer(page):
        if found["language"] == language:
            yield Example(found["code"], found["prints"], found["soon"] is not None)


def prints_as_shown(printed: str, shown: str) -> bool:
    """Whether it is what the page shows: ids and addresses may differ, and `…` stands for anything."""
    written = "".join(_ANYTHING.get(part) or re.escape(part) for part in re.split("(…\n?)", _masked(shown)))
    return re.fullmatch(written, _masked(printed), re.DOTALL) is not None


def _masked(text: str) -> str:
    for other, mask in _OTHERS.items():
        text = re.sub(other, mask, text)
    return text.strip()
