"""Records of a CSV file, one by one: a quote that is never closed, or a line without an end, costs its own line."""

import csv
from collections import deque
from collections.abc import Iterator
from dataclasses import dataclass
from typing import TextIO

# No profile has more, and what is longer has lost its closing quote or its end.
LONGEST = 256 * 1024
_SHOWN = 1_000


class _Unclosed(Exception):
    """A quote was opened, and nothing that closes it follows."""


class _TooLong(Exception):
    """A line has no end that could be waited for."""


@dataclass(frozen=True, slots=True)
class Record:
    """The cells of one record and the line that it begins at; `wrong`: they are what a guess makes of that line."""

    line: int
    cells: list[str]
    wrong: str | None = None


class Lines:
    """The lines of a text, of which those of the current record can be given back."""

    def __init__(self, text: TextIO) -> None:
        self.number = 0
        self.taken: list[str] = []
        self._size = 0
        self._text = text
        self._back: deque[str] = deque()

    def __iter__(self) -> Iterator[str]:
        return self

    def __next__(self) -> str:
        line = self._back.popleft() if self._back else self._text.readline(LONGEST + 1)
        if not line and not self.taken:
            raise StopIteration
        self._size += len(line)
        if not line or (self.taken and self._size > LONGEST):
            self._back.appendleft(line)
            raise _Unclosed
        self.number += 1
        self.taken.append(line)
        if len(line) > LONGEST:
            self._skip(line)
            raise _TooLong
        return line

    def begin(self) -> None:
        self.taken, self._size = [], 0

    def give_back(self) -> str:
        """All but the first line of the record, which is returned."""
        first, *others = self.taken
        self.number -= len(others)
        self._back.extendleft(reversed(others))
        return first

    def _skip(self, line: str) -> None:
        while line and not line.endswith("\n"):
            line = self._text.readline(LONGEST)


def records(text: TextIO, delimiter: str, width: int | None = None) -> Iterator[Record]:
    """With a width, lines that would only together be a record of another one are read one by one."""
    # Ours are bounded by `LONGEST`, and the library knows no other way.
    csv.field_size_limit(2 * LONGEST)
    lines = Lines(text)
    # Strict, because what stands behind the quote that closes a cell of several lines says that it opens one of its own.
    reader = csv.reader(lines, delimiter=delimiter, strict=True)
    while True:
        lines.begin()
        line = lines.number + 1
        wrong = None
        try:
            cells = _next(reader, lines, delimiter)
            if len(lines.taken) > 1 and width is not None and len(cells) != width:
                wrong = "a quote is not closed"
        except StopIteration:
            return
        except _Unclosed:
            wrong = "a quote is not closed"
        except _TooLong:
            wrong = f"a line of more than {LONGEST} characters; the row has only their beginning"
        if wrong is not None:
            cells = lines.give_back()[:_SHOWN].rstrip("\r\n").replace('"', "").split(delimiter)
        yield Record(line, cells, wrong)


def _next(reader: Iterator[list[str]], lines: Lines, delimiter: str) -> list[str]:
    """The cells of the next record; where one line is all of it, what stands behind a closing quote is a part of its cell."""
    try:
        return next(reader)
    except csv.Error:
        return next(csv.reader(_alone(lines.taken[0]), delimiter=delimiter))


def _alone(line: str) -> Iterator[str]:
    """A record of which more lines are wanted has a quote that is not closed."""
    yield line
    raise _Unclosed
