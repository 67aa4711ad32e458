"""Pure: whether messages can be made of what a trigger and a provider say, asked before the first one is due."""

import html
import re
from urllib.parse import urlsplit

import css_inline
from inscriptis import get_text

from runtime.outbound.signing import key_of
from schemas.templating import templates
from schemas.templating.filling import parsed

_HTTP, _SMTP = ("http", "https"), ("smtp", "smtps", "smtp+starttls")
_LONGEST_URL = 2_048
_MARKUP = re.compile(r"<style\b.*?</style\s*>|<[^<>]*>", re.DOTALL | re.IGNORECASE)


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
    written = css_inline.inline(given)
    if list(templates.tags(written)) != list(templates.tags(given)) or _read_by_people(written) != _read_by_people(given):
        raise ValueError("its styles cannot be written into its elements: its placeholders would not stay as they are")
    return written


def _read_by_people(given: str) -> str:
    """Without its markup: a condition around the row of a table would be moved out of it, and leave the row to everybody."""
    return "".join(html.unescape(_MARKUP.sub("", given)).split())


def plain(given: str) -> str:
    """A mail's text for readers without HTML; none where its conditions only make sense in the HTML."""
    text = str(get_text(given)).strip()
    try:
        templates.read(text)
    except templates.IncorrectTemplate:
        return ""
    return text
