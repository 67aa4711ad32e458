"""Pure: whether messages can be made of what a trigger and a provider say, asked before the first one is due."""

import html
import re
from collections import deque
from urllib.parse import urlsplit

from runtime.outbound.signing import key_of
from schemas.templating import templates
from schemas.templating.filling import parsed
from store.configuration import converting

_HTTP, _SMTP = ("http", "https"), ("smtp", "smtps", "smtp+starttls")
_LONGEST_URL = 2_048
_STYLE_BEGINS, _STYLE_ENDS = re.compile(r"<style\b", re.IGNORECASE), re.compile(r"</style\s*>", re.IGNORECASE)
_TAG = re.compile(r"<[^<>]*>")


def template(given: str) -> str:
    """Raises `ValueError` if it cannot be read."""
    try:
        templates.read(given)
    except templates.IncorrectTemplate as why:
        raise ValueError(str(why)) from None
    return given


def json_template(given: str) -> str:
    """The same of one that is JSON, with placeholders in its strings."""
    try:
        parsed(given)
    except templates.IncorrectTemplate as why:
        raise ValueError(str(why)) from None
    return template(given)


def url(given: str) -> str:
    """Raises `ValueError` if nothing could be sent there."""
    try:
        parts = urlsplit(given)
        usable = bool(parts.hostname) and (parts.port is None or parts.port > 0)
    except ValueError:
        usable = False
    if not usable or parts.scheme not in (*_HTTP, *_SMTP) or " " in given or len(given) > _LONGEST_URL:
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


def inlined(given: str) -> str:
    """With its styles in its elements; raises `ValueError` where that would change what is filled in."""
    written = converting.inlined(given)
    if list(templates.tags(written)) != list(templates.tags(given)) or _read_by_people(written) != _read_by_people(given):
        raise ValueError("its styles cannot be written into its elements: its placeholders would not stay as they are")
    return written


def _read_by_people(given: str) -> str:
    """Without its markup: a condition around the row of a table would be moved out of it, and leave the row to everybody."""
    return "".join(html.unescape(_TAG.sub("", _unstyled(given))).split())


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
    """A mail's text for readers without HTML; none where its conditions only make sense in the HTML, or that is too complicated."""
    try:
        text = converting.text(given)
        templates.read(text)
    except (ValueError, templates.IncorrectTemplate):
        return ""
    return text
