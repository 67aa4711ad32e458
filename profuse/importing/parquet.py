"""Parquet, where `pyarrow` is installed: read in row groups, of which a damaged one costs its own rows."""

from collections.abc import Iterator
from typing import Any

import pyarrow
from pyarrow import parquet

from profuse.importing.csv_table import check_names
from profuse.importing.source import Source
from profuse.importing.table import Row, Table
from runtime.errors import CannotRun

_ROWS = 1_000
# Arrow holds moments and zones that Python does not know; what is damaged is an error of the system to it, or a name that is no text.
_UNREADABLE = (pyarrow.ArrowException, ValueError, OverflowError)
_DAMAGED = (pyarrow.ArrowException, OSError, UnicodeDecodeError)


def parquet_table(file: Source) -> Table:
    """Nulls give nothing, and a row of nothing but these and blanks is none."""
    with file.opened() as stream:
        try:
            looked = parquet.ParquetFile(stream)
            columns, total = list(looked.schema_arrow.names), looked.metadata.num_rows
        except _DAMAGED as error:
            raise CannotRun(f"{file} is no Parquet file: {_line(error)}") from None
    check_names(f"{file} has", columns)
    if "" in columns:
        raise CannotRun(f"{file} has a column without a name, at {columns.index('') + 1}: name it in the file.")
    return Table(columns, lambda: _rows(file), total, file.digest(), "Parquet", objects=True)


def _rows(file: Source) -> Iterator[Row]:
    first = 1
    with file.opened() as stream, parquet.ParquetFile(stream) as parts:
        for group in range(parts.num_row_groups):
            behind = first + parts.metadata.row_group(group).num_rows
            yield from _group(parts, group, first, behind)
            first = behind
    file.check_again()


def _group(parts: Any, group: int, number: int, behind: int) -> Iterator[Row]:
    """Rows of a group, from `number` on; behind a damaged page nothing of it can be found."""
    try:
        for batch in parts.iter_batches(batch_size=_ROWS, row_groups=[group]):
            for given, wrong in _read(batch):
                if not all(isinstance(value, str) and not value.strip() for value in given.values()):
                    yield Row(number, given, None if wrong else given, wrong)
                number += 1
    except _DAMAGED as error:
        for lost in range(number, behind):
            yield Row(lost, {}, wrong=f"the file is damaged here: {_line(error)}")


def _read(batch: Any) -> Iterator[tuple[dict[str, Any], str | None]]:
    """What each row holds, and what of it cannot be read."""
    try:
        for given in batch.to_pylist():
            yield {name: value for name, value in given.items() if value is not None}, None
    except _UNREADABLE:
        for place in range(batch.num_rows):
            yield _one(batch.slice(place, 1))


def _one(row: Any) -> tuple[dict[str, Any], str | None]:
    given, wrong = {}, None
    for name, column in zip(row.schema.names, row.columns, strict=True):
        try:
            value = column[0].as_py()
        except _UNREADABLE as error:
            value, wrong = _text(column), wrong or f"{_line(error)} ({name})"
        if value is not None:
            given[name] = value
    return given, wrong


def _text(column: Any) -> str:
    """What Python has no value for, for who corrects it."""
    try:
        return str(column.cast(pyarrow.string())[0].as_py())
    except _UNREADABLE:
        return "?"


def _line(error: Exception) -> str:
    return str(error).partition("\n")[0]
