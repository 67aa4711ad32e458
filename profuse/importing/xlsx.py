"""XLSX and its kin, where `python-calamine` is installed."""

from collections.abc import Iterator, Sequence
from datetime import date, datetime
from typing import Any

from python_calamine import CalamineError, CalamineWorkbook

from profuse.importing.csv_records import Record
from profuse.importing.csv_table import check_header, row
from profuse.importing.source import Source
from profuse.importing.table import Row, Table
from runtime.errors import CannotRun


def xlsx_table(file: Source, columns: Sequence[str] | None) -> Table:
    """The first sheet, as text; a sheet is read whole, and has a million rows at most."""
    with file.opened() as stream:
        try:
            sheet = CalamineWorkbook.from_filelike(stream).get_sheet_by_index(0)
        except CalamineError as error:
            raise CannotRun(f"{file} is no spreadsheet: {error}") from None
    first = [_text(cell).strip() for cell in next(sheet.iter_rows(), [])]
    if not first:
        raise CannotRun(f"{file} is empty.")
    if columns is None:
        check_header(file, first)
    names = columns or first

    def rows() -> Iterator[Row]:
        for number, cells in enumerate(([_text(cell) for cell in cells] for cells in sheet.iter_rows()), 1):
            if number > (columns is None) and any(cell.strip() for cell in cells):
                yield row(Record(number, cells), names)
        file.check_again()

    return Table(names, rows, sheet.total_height, file.digest(), f"the sheet {sheet.name!r}")


def _text(cell: Any) -> str:
    """As a person reads it in the sheet: a number without the `.0` that every one has there."""
    match cell:
        case bool():
            return str(cell).lower()
        case float() if cell.is_integer():
            return str(int(cell))
        case datetime() | date():
            return cell.isoformat()
    return str(cell)
