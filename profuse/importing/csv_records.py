"""Records of a CSV file, one by one: a quote that is never closed, or a line without an end, costs its own line."""

import csv
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from typing import TextIO

from profuse.importing.lines import LONGEST, Lines, TooLong, Unclosed

_SHOWN = 1_000
_UNCLOSED = "a quote is not closed"


@dataclass(frozen=True, slots=True)
class Record:
    """The cells of one record and the line that it begins at; `wrong`: they are what a guess makes of that line."""

    line: int
    cells: list[str]
    wrong: str | None = None


def fits(cells: Sequence[str], width: int) -> bool:
    """Whether there is one for each column; cells beyond these may only be empty."""
    return len(cells) >= width and not any(cell.strip() for cell in cells[width:])


def records(text: TextIO, delimiter: str, width: int | None = None) -> Iterator[Record]:
    """With a width, lines that are no record of it together, but each by itself, are read one by one."""
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
            if len(lines.taken) > 1 and width is not None and not fits(cells, width) and _are_rows(lines.taken, delimiter, width):
                wrong = _UNCLOSED
        except StopIteration:
            return
        except Unclosed:
            wrong = _UNCLOSED
        except TooLong as error:
            yield Record(line, lines.give_back()[:_SHOWN].replace('"', "").split(delimiter), str(error))
            continue
        if wrong is not None:
            cells = _guessed(lines.give_back(), delimiter)
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
    raise Unclosed


def _are_rows(lines: Sequence[str], delimiter: str, width: int) -> bool:
    """Whether each would be one, had the first no quote that is open at its end: then the quote is a stray one, else they are its text."""
    first, *others = (line for line in lines if line.strip())
    rows = [_guessed(first, delimiter), *(next(csv.reader([line], delimiter=delimiter)) for line in others)]
    return all(fits(cells, width) for cells in rows)


def _guessed(line: str, delimiter: str) -> list[str]:
    """The cells of a line whose last quote is not closed, as if it were not there."""
    *whole, opened = next(csv.reader([line], delimiter=delimiter))
    return [*whole, *opened.rstrip("\r\n").split(delimiter)]
