"""How many elements an array has, without building any of them."""

import re
from collections.abc import Generator

from schemas.levels import LEVELS
from schemas.settings import KIB

_SLICE = 256 * KIB

_STRING = rb'"[^"\\]*+(?:\\.[^"\\]*+)*+"'


def _nested(levels: int) -> bytes:
    """An expression for what stands between two brackets."""
    inner = rb"|[\[{]" + _nested(levels - 1) + rb"[\]}]" if levels else b""
    return rb'(?:[^"\[\]{}]++|' + _STRING + inner + rb")*+"


_ELEMENT = re.compile(rb'(?:[^"\[\]{},]++|' + _STRING + rb"|[\[{]" + _nested(LEVELS) + rb"[\]}])++,", re.DOTALL)


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
