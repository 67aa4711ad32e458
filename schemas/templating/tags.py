"""What stands in braces and is ours: placeholders, and what conditions are made of."""

import re
from collections.abc import Iterator
from dataclasses import dataclass
from html import unescape
from html.entities import html5

from schemas.templating.conditions import SOURCES

ELSE, END = "{else}", "{end}"
_ENTITY = r"&[#\w]{2,32};"
_NO_BREAK = r"&(?:nbsp|#0*160|#[xX]0*[aA]0);"
_QUOTED_OR_BLANK = re.compile(r"""("[^"]*"|'[^']*')|\s+""")


def _pattern(blank: str, letter: str) -> re.Pattern[str]:
    # Nothing is given back that may be a blank and a letter as well: a long row of them would be tried at each of its places.
    return re.compile(
        rf"\{{(?:(?P<source>{'|'.join(SOURCES)})\.(?P<path>[^{{}}\r\n]+)|(?P<link>unsubscribe)"
        rf"|if(?:{blank})++(?P<condition>(?:{letter})++)|else|end)\}}"
    )


# Nothing else in braces is ours: CSS and JSON stay as they are. No semicolon, so that no script of a page is taken for a condition.
_IN_TEXT = _pattern(r"[^\S\r\n]", r"[^{};\r\n]")
# An editor of HTML writes quotes and no-break blanks as entities.
_IN_HTML = _pattern(rf"[^\S\r\n]|{_NO_BREAK}", rf"{_ENTITY}|[^{{}};\r\n]")


@dataclass(frozen=True)
class Tag:
    """A placeholder, a condition or what ends it: where it stands, and what it says, whose entities are the characters that they mean."""

    at: int
    written: str
    source: str
    path: str
    link: str
    condition: str

    @property
    def decides(self) -> bool:
        return not (self.source or self.link)

    def __str__(self) -> str:
        """Alike for all that mean the same."""
        if self.condition:
            return f"{{if {_QUOTED_OR_BLANK.sub(lambda part: part[1] or ' ', self.condition)}}}"
        return f"{{{self.source}.{self.path}}}" if self.source else self.written


def tags(template: str, *, html: bool = False) -> Iterator[Tag]:
    """All of a template, in their order; `html`: as an editor of HTML may have written them."""
    for found in (_IN_HTML if html else _IN_TEXT).finditer(template):
        if html and not _is_html(found["condition"] or ""):
            continue
        path, condition = (_unescaped(found[name] or "", html=html) for name in ("path", "condition"))
        yield Tag(found.start(), found[0], found["source"] or "", path, found["link"] or "", condition)


def _is_html(condition: str) -> bool:
    # A script may end in `a&&b;`.
    return all(name[1] == "#" or name[1:] in html5 for name in re.findall(_ENTITY, condition))


def _unescaped(text: str, *, html: bool) -> str:
    # One that does not end was none before, either.
    return re.sub(_ENTITY, lambda entity: unescape(entity[0]), text) if html else text
