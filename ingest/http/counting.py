"""How much some JSON is, without building any of it."""

import re
from collections.abc import Generator

from msgspec import Raw

from schemas.levels import LEVELS
from schemas.settings import KIB

_SLICE = 256 * KIB

_BLANKS = b" \t\r\n"

_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'


def _nested(levels: int) -> bytes:
    """An expression for what stands between two brackets."""
    inner = rb"|[\[{]" + _nested(levels - 1) + rb"[\]}]" if levels else b""
    return rb'(?:[^"\[\]{}]++|' + _STRING + inner + rb")*+"


_ELEMENT = re.compile(rb'(?:[^"\[\]{},]++|' + _STRING + rb"|[\[{]" + _nested(LEVELS) + rb"[\]}])++,", re.DOTALL)


def is_longer(raw: Raw, most: int) -> bool:
    """Whether it was written in more bytes, blanks aside: of indented JSON they are most, and nothing is built of them."""
    written, found = memoryview(raw), 0
    if len(written) <= most:
        return False
    for at in range(0, len(written), _SLICE):
        found += len(bytes(written[at : at + _SLICE]).translate(None, _BLANKS))
        if found > most:
            return True
    return False


def has_more(array: memoryview, most: int) -> Generator[None, None, bool]:
    """Whether an array of valid JSON has more elements; each step is a slice."""
    at, found, window = 1, 0, _SLICE
    while at + window < len(array) + _SLICE:
        before, end = at, at + window
        while found < most and (element := _ELEMENT.match(array, at, end)):
            at, found = element.end(), found + 1
        # Behind the last comma is one more.
        if found == most:
            return True
        # An element that is longer than what was looked at is looked at again.
        window = _SLICE if at > before else 2 * window
        yield
    return False
