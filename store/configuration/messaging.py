"""Whether messages can be made of what a trigger and a provider say, asked before the first one is due.

Pure, but for `inlined` and `plain`, which have HTML that may take long converted by a process.
"""

import html
import re
from collections import deque
from functools import partial
from urllib.parse import urlsplit

from runtime.outbound.signing import key_of
from schemas.templating import templates
from schemas.templating.filling import check_leaves
from schemas.templating.lookalikes import check_lookalikes
from schemas.templating.tags import tags
from store.configuration import converting

_HTTP, _SMTP = ("http", "https"), ("smtp", "smtps", "smtp+starttls")
# Characters of a text of a message, so that a message is some megabytes at most.
LONGEST_TEXT = 1_000_000
_LONGEST_URL = 2_048
_STYLE_BEGINS, _STYLE_ENDS = re.compile(r"<style\b", re.IGNORECASE), re.compile(r"</style\s*>", re.IGNORECASE)
# Without a way back: a name that does not end would be tried at each of its letters.
_TAG = re.compile(r"<(?P<name>[A-Za-z][^\s<>/]*+)?+[^<>]*+>")
# Elements that a parser adds, leaves out or repeats, none of which shows anything by itself.
_FORMATTING = ("a", "b", "big", "code", "em", "font", "i", "nobr", "s", "small", "strike", "strong", "tt", "u")
_OF_PARSERS = frozenset(("html", "head", "body", "colgroup", "tbody", "tr", "p", "br", *_FORMATTING))


def template(given: str) -> str:
    """Raises `ValueError` if it cannot be read."""
    return _template(given, html=False)


def html_template(given: str) -> str:
    """The same of one that an editor of HTML may have written."""
    return _template(given, html=True)


def _template(given: str, *, html: bool) -> str:
    try:
        templates.read(given, html=html)
        check_lookalikes(given, html=html)
    except templates.IncorrectTemplate as why:
        raise ValueError(str(why)) from None
    return given


def link(given: str) -> str:
    """The same of one that becomes an address; what its conditions ask for may be any text."""
    parts = templates.read(template(given))
    if not all(map(str.isprintable, (*(part for part in parts if isinstance(part, str)), *templates.decided(parts)))):
        raise ValueError("holds what is not seen in an address, where a no-break space is written as %C2%A0")
    return given


def json_template(given: str) -> str:
    """The same of one that is JSON, with placeholders in its strings."""
    try:
        check_leaves(given)
    except templates.IncorrectTemplate as why:
        raise ValueError(str(why)) from None
    return given


def url(given: str) -> str:
    """Raises `ValueError` if nothing could be sent there."""
    try:
        parts = urlsplit(given)
        usable = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    is_seen = given.isprintable() and " " not in given
    if not usable or parts.scheme not in (*_HTTP, *_SMTP) or not is_seen or len(given) > _LONGEST_URL:
        # Not quoted: it may hold a password.
        raise ValueError("must be an address like https://sms.example.com/send")
    return given


def fits(channel_by_provider: bool, given: str) -> bool:
    """Whether an address is of the kind that a channel leaves by."""
    return urlsplit(given).scheme in (_HTTP if channel_by_provider else _SMTP)


def secret(given: str) -> str:
    """Raises `ValueError`, which does not quote it."""
    key_of(given)
    return given


def inlined(given: str, *, stored: str | None = None) -> str:
    """With its styles in its elements; raises `ValueError` where that would change what is filled in.

    One that is `stored` is not asked: it passed what was asked in its day.
    """
    written = converting.inlined(given)
    if written == stored:
        return written
    html_template(given)
    seen = partial(_read_by_people, elements=bool(_conditions(given, html=True)))
    stays = _tags(written, html=True) == _tags(given, html=True) and seen(written) == seen(given)
    # Of some readers' styles everybody's elements would be made.
    if not stays or any(map(_STYLE_BEGINS.search, templates.decided(templates.read(given, html=True)))):
        raise ValueError("its styles cannot be written into its elements: its placeholders would not stay as they are")
    return written


def _read_by_people(given: str, *, elements: bool) -> str:
    """Without its markup: a condition around the row of a table would be moved out of it, and leave the row to everybody.

    `elements`: with their names, as rows may hold no words.
    """
    return _words(html.unescape(_TAG.sub(_name if elements else "", _unstyled(given))))


def _name(tag: re.Match[str]) -> str:
    return f"<{name}>" if (name := (tag["name"] or "").lower()) and name not in _OF_PARSERS else ""


def _words(text: str) -> str:
    return "".join(text.split())


def _unstyled(given: str) -> str:
    """Without its style elements. An expression for a whole one would look for the end of each to the end of the text."""
    ends = deque(_STYLE_ENDS.finditer(given))
    kept, at = [], 0
    for begins in _STYLE_BEGINS.finditer(given):
        while ends and ends[0].start() < begins.start():
            ends.popleft()
        if ends and begins.start() >= at:
            kept.append(given[at : begins.start()])
            at = ends[0].end()
    return "".join([*kept, given[at:]])


def plain(given: str) -> str:
    """A mail's text for readers without HTML; none where its conditions only make sense in the HTML, or that is too complicated or long."""
    try:
        text = _as_text(given)
        templates.read(text)
    except (ValueError, templates.IncorrectTemplate):
        return ""
    # What a comment or an attribute holds is no text, and a blank or an entity in a tag may make another one of it.
    decides_alike = len(text) <= LONGEST_TEXT and _conditions(text) == _conditions(given, html=True)
    return text if decides_alike and set(_tags(text)) <= set(_tags(given, html=True)) else ""


def _tags(given: str, *, html: bool = False) -> list[str]:
    return [str(tag) for tag in tags(given, html=html)]


def _conditions(given: str, *, html: bool = False) -> list[str]:
    return [str(tag) for tag in tags(given, html=html) if tag.decides]


def _as_text(given: str) -> str:
    text = converting.text(given)
    if not _conditions(given, html=True):
        return text
    # What is between the rows of a table is laid out before them, and lines of cells beside one another's: out of their conditions.
    in_order = converting.in_order(given)
    return text if _words(text) == _words(in_order) else in_order
