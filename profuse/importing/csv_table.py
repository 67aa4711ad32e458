"""CSV: what separates its columns, what they are called, and its rows."""

import re
from collections import Counter
from collections.abc import Iterator, Sequence
from itertools import islice

from profuse.importing.csv_records import Record, fits, records
from profuse.importing.source import Source
from profuse.importing.table import Row, Table
from profuse.importing.text import look, reading
from runtime.errors import CannotRun

_DELIMITERS = ",;\t|"
_SAMPLED = 50
# What a row holds and no column is called.
_DATA = re.compile(r"[^@\s]+@[^@\s]+\.[^@\s]+|\+?[\d\s().-]*\d[\d\s().-]*")


def csv_table(file: Source, encoding: str | None, delimiter: str | None, columns: Sequence[str] | None) -> Table:
    """Raises `CannotRun` if it has no header, or one that cannot be meant."""
    looked = look(file, encoding)
    if delimiter is not None and len(delimiter) != 1:
        raise CannotRun(f"--delimiter {delimiter!r} must be one character, such as ; or a tab.")
    delimiter = delimiter or _delimiter(file, looked.encoding)
    names = list(columns or _header(file, looked.encoding, delimiter))
    shown = {"\t": "tabs", ",": "commas", ";": "semicolons"}.get(delimiter, delimiter)
    return Table(
        names,
        lambda: _rows(file, looked.encoding, delimiter, names, headed=columns is None),
        looked.lines,
        looked.digest,
        f"CSV in {looked.encoding}, columns separated by {shown}",
        delimiter,
    )


def _rows(file: Source, encoding: str, delimiter: str, names: list[str], *, headed: bool) -> Iterator[Row]:
    found = _records(file, encoding, delimiter, len(names))
    for record in islice(found, int(headed), None):
        if record.wrong is not None or any(cell.strip() for cell in record.cells):
            yield row(record, names)


def row(record: Record, names: Sequence[str]) -> Row:
    """Empty cells give nothing; cells beyond the header may only be empty."""
    cells, wrong = record.cells, record.wrong
    if wrong is None and not fits(cells, len(names)):
        wrong = f"{len(cells)} columns instead of {len(names)}"
    if wrong is not None:
        return Row(record.line, cells, wrong=wrong)
    values = {name: cell for name, cell in zip(names, cells, strict=False) if cell.strip()}
    if "" in values:
        return Row(record.line, cells, wrong=f"{values['']!r} is in a column without a name")
    return Row(record.line, cells, values)


def check_header(file: Source, names: Sequence[str]) -> None:
    data = next((name for name in names if _DATA.fullmatch(name)), None)
    if data is not None or not any(names):
        raise CannotRun(f"{file} has no header: its first line holds {data or 'nothing'!r}. Name its columns: --columns email,_fname,…")
    check_names(f"{file} has", names)


def check_names(whose: str, names: Sequence[str]) -> None:
    twice = next((name for name, count in Counter(names).items() if name and count > 1), None)
    if twice is not None:
        places = " and ".join(str(place) for place, name in enumerate(names, 1) if name == twice)
        raise CannotRun(f"{whose} the column {twice!r} twice, at {places}: rename one of them.")


def _header(file: Source, encoding: str, delimiter: str) -> list[str]:
    first = next(_records(file, encoding, delimiter), None)
    if first is None or first.wrong is not None:
        raise CannotRun(f"{file} has no header that can be read: {first.wrong if first else 'it is empty'}.")
    names = [name.strip() for name in first.cells]
    check_header(file, names)
    return names


def _delimiter(file: Source, encoding: str) -> str:
    """The one by which most rows have as many cells as the first; of several, the one that makes most cells."""

    def fitness(delimiter: str) -> tuple[int, int]:
        widths = [len(record.cells) for record in islice(_records(file, encoding, delimiter), _SAMPLED)]
        return (sum(width == widths[0] for width in widths), widths[0]) if widths and widths[0] > 1 else (0, 0)

    return max(_DELIMITERS, key=fitness)


def _records(file: Source, encoding: str, delimiter: str, width: int | None = None) -> Iterator[Record]:
    with reading(file, encoding) as text:
        yield from records(text, delimiter, width)
