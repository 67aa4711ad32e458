"""What is read of a file, whatever its format."""

from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

# What is written beside a failed row.
ERROR, LINE = "#error", "#line"


@dataclass(frozen=True, slots=True)
class Row:
    """One row, and where an editor shows it; `wrong` is why nothing can be sent of it."""

    line: int
    # As it is repeated where failed rows are kept: cells, or the object.
    given: Any
    values: Mapping[str, Any] | None = None
    wrong: str | None = None


@dataclass(frozen=True)
class Table:
    """A file that was looked at; `rows` reads it from its beginning."""

    # None where each row names its own.
    columns: Sequence[str] | None
    rows: Callable[[], Iterator[Row]]
    # About how many rows there are, as far as it can be said beforehand.
    total: int
    # Of the bytes: the same for the same file under any name.
    digest: str
    described: str
    delimiter: str = ","
    # Its rows are objects, with values that no CSV would keep as they are.
    objects: bool = False


def is_ours(column: str) -> bool:
    """Written beside a failed row, or else no part of it unless somebody says so."""
    return column.startswith("#")
