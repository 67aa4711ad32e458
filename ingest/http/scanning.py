"""One look at a body that builds nothing of it: its UTF-8, its levels and the digits of its numbers, slice by slice."""

import re
from collections.abc import Iterator
from dataclasses import dataclass

from schemas.levels import LEVELS
from schemas.settings import KIB

DIGITS = 4_300

Body = bytes | bytearray

_SLICE = 256 * KIB
_LETTER = 4
_ESCAPE = len(rb"\ud83d")
_PAIR = re.compile(rb"\\u[dD][89abAB]..\\u[dD][c-fC-F]", re.DOTALL)

_IN_NUMBER = b"0123456789.eE+-"
_IN_NUMBERS = bytes.maketrans(_IN_NUMBER[1:], b"0" * 14)
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
    # Of the number in whose middle it stands.
    digits: int = 0

    def take(self, part: bytes) -> None:
        """Raises `NotJson`."""
        _check_utf8(part)
        # Without escapes a quote is the end of a string, and what is left of them has no brackets.
        plain = part.replace(rb"\\", b"").replace(rb"\"", b"") if b"\\" in part else part
        self._check_digits(plain)
        self._check_levels(plain)

    def _check_digits(self, plain: bytes) -> None:
        first = plain[: len(plain) - len(plain.lstrip(_IN_NUMBER))]
        digits = 0 if self.in_string else self.digits + _digits(first)
        if digits > DIGITS or self._has_long_number(plain):
            raise NotJson(f"a number has more than {DIGITS} digits, minus signs counted")
        if len(first) < len(plain):
            last = plain[len(plain.rstrip(_IN_NUMBER)) :]
            digits = 0 if self._is_in_string(plain, len(plain)) else _digits(last)
        self.digits = digits

    def _has_long_number(self, plain: bytes) -> bool:
        """Whether one lies in this part as a whole."""
        if _SAMPLED_RUN not in plain[::_EVERY].translate(_IN_NUMBERS) or _LONG_RUN not in plain.translate(_IN_NUMBERS):
            return False
        long = (run for run in _RUNS.finditer(plain) if len(run[0]) > DIGITS and _digits(run[0]) > DIGITS)
        return not all(self._is_in_string(plain, run.start()) for run in long)

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
    """The body in parts, none of which ends in the middle of a letter, an escape or a surrogate pair."""
    view, at = memoryview(body), 0
    while at < len(view):
        size = _SLICE
        while (end := _end(view, at, at + size)) == at:
            size *= 2
        yield bytes(view[at:end])
        at = end


def _end(view: memoryview, at: int, wanted: int) -> int:
    """Where a part may end that begins at `at`: little before `wanted`; `at` itself if nowhere."""
    if wanted >= len(view):
        return len(view)
    near = max(at, wanted - 2 * _ESCAPE)
    backslash = bytes(view[near:wanted]).find(b"\\")
    if backslash < 0:
        # No letter is longer than four bytes; where one seems to be, that is no UTF-8, and refused.
        ends = (end for end in range(wanted, max(at, wanted - _LETTER), -1) if view[end] & 0xC0 != 0x80)
        return next(ends, at if wanted - at < _LETTER else wanted)
    # The first of a row of backslashes begins an escape, and then every second one.
    escape = _row(view, at, near + backslash)
    if escape == at:
        row = wanted - at - len(bytes(view[at:wanted]).lstrip(b"\\"))
        return at + row // 2 * 2
    half = escape - _ESCAPE
    is_pair = half >= at and _PAIR.match(view, half) and (half - _row(view, at, half)) % 2 == 0
    return half if is_pair else escape


def _row(view: memoryview, at: int, last: int) -> int:
    """Where the row of backslashes begins that `last` is one of."""
    return at + len(bytes(view[at : last + 1]).rstrip(b"\\"))


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


def _digits(number: bytes) -> int:
    # The parser counts a sign as one.
    return sum(map(number.count, b"0123456789-"))


def _height_exceeds(levels: int, brackets: bytes) -> bool:
    """Each turn takes off the innermost level."""
    for _ in range(levels):
        if not brackets:
            return False
        brackets = brackets.replace(b"[]", b"")
    return bool(brackets)
