"""One look at a body that builds nothing of it: its UTF-8, its levels and the digits of its numbers, slice by slice."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from schemas.settings import KIB

LEVELS = 32
DIGITS = 4_300

Body = bytes | bytearray

_SLICE = 256 * KIB
# No slice ends after one of these, so that none cuts a number, an escape, a surrogate pair or a letter in two.
_UNCUT = b"0123456789.eE+-\\abcdfABCDFu" + bytes(range(128, 256))

_IN_NUMBERS = bytes.maketrans(b"123456789.eE+-", b"0" * 14)
_LONG_RUN = b"0" * (DIGITS + 1)
# A number that is too long has so many of every 512th byte for itself; hardly anything else has.
_EVERY = 512
_SAMPLED_RUN = b"0" * (len(_LONG_RUN) // _EVERY)
_RUNS = re.compile(rb"[0-9.eE+-]++")

_BRACKETS = bytes.maketrans(b"{}", b"[]")
_NO_STRUCTURE = bytes(set(range(256)) - set(b'{}[]"'))
_STRINGS = re.compile(rb'"[^"]*+"?')

# A surrogate pair, a lone surrogate, or any other escape (so that `\\ud800` is no surrogate).
_ESCAPES = re.compile(rb"\\u[dD][89abAB]..\\u[dD][c-fC-F]..|(\\u[dD][89a-fA-F]..)|\\.", re.DOTALL)
NUL = rb"\u0000"


class NotJson(Exception):
    """The body is no JSON that we keep; the text says why."""


@dataclass
class Scan:
    """Where a scan of valid JSON stands between two slices."""

    level: int = 0
    in_string: bool = False

    def take(self, part: bytes) -> None:
        """Raises `NotJson`."""
        _check_utf8(part)
        # Without escapes a quote is the end of a string, and what is left of them has no brackets.
        plain = part.replace(rb"\\", b"").replace(rb"\"", b"") if b"\\" in part else part
        self._check_digits(plain)
        self._check_levels(plain)

    def _check_digits(self, plain: bytes) -> None:
        if _SAMPLED_RUN not in plain[::_EVERY].translate(_IN_NUMBERS) or _LONG_RUN not in plain.translate(_IN_NUMBERS):
            return
        for run in _RUNS.finditer(plain):
            if len(run[0]) > DIGITS and sum(map(run[0].count, b"0123456789")) > DIGITS and not self._is_in_string(plain, run.start()):
                raise NotJson(f"a number has more than {DIGITS} digits")

    def _is_in_string(self, plain: bytes, at: int) -> bool:
        return (plain.count(b'"', 0, at) + self.in_string) % 2 == 1

    def _check_levels(self, plain: bytes) -> None:
        kept = plain.translate(_BRACKETS, _NO_STRUCTURE)
        if self.in_string:
            kept = b'"' + kept
        self.in_string = kept.count(b'"') % 2 == 1
        # Most strings hold no bracket; of those that do the expression is only slower.
        kept = kept.replace(b'""', b"")
        if b'"' in kept:
            kept = _STRINGS.sub(b"", kept)
        left = self.level + kept.count(b"[") - kept.count(b"]")
        if _height_exceeds(LEVELS, b"[" * self.level + kept + b"]" * left):
            raise NotJson(f"there are more than {LEVELS} levels")
        self.level = left


def slices(body: Body) -> Iterator[bytes]:
    """The body in parts that can be looked at alone."""
    view, at = memoryview(body), 0
    while at < len(view):
        size = _SLICE
        while not (part := bytes(view[at : at + size]).rstrip(_UNCUT)) and at + size < len(view):
            size *= 2
        if at + size >= len(view):
            part = bytes(view[at:])
        yield part
        at += len(part)


def lone_surrogates_as_nul(part: bytes) -> bytes:
    """The parser refuses a whole body for a lone surrogate; NUL gets the same error, but costs only its item."""
    if rb"\ud" not in part and rb"\uD" not in part:
        return part
    return _ESCAPES.sub(lambda found: NUL if found[1] else found[0], part)


def _check_utf8(part: bytes) -> None:
    # The parser skips over text without looking at its letters.
    try:
        if not part.isascii():
            part.decode()
    except UnicodeDecodeError:
        raise NotJson("the body is not UTF-8") from None


def _height_exceeds(levels: int, brackets: bytes) -> bool:
    """Each turn takes off the innermost level."""
    for _ in range(levels):
        if not brackets:
            return False
        brackets = brackets.replace(b"[]", b"")
    return bool(brackets)
