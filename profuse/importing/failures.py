"""Failed rows, each with its reason beside it, in a file that can be corrected and imported again."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

from profuse.importing.table import Row, Table
from runtime.errors import CannotRun

ERROR, LINE = "#error", "#line"


def place(file: Path, table: Table, wanted: Path | None) -> Path:
    """Where the failed rows of a file go; raises `CannotRun` if that is the file."""
    found = wanted or file.with_name(f"{file.stem}.failed.{'ndjson' if table.columns is None else 'csv'}")
    if found.resolve() == file.resolve():
        raise CannotRun(f"Failed rows would overwrite {file}: name another place for them by --failed.")
    return found


class Failures:
    """CSV where the table has columns, else NDJSON; the file is made by the first failure, in the place of an older one."""

    def __init__(self, file: Path, table: Table) -> None:
        self.file = file
        self.count = 0
        self._table = table
        self._out: TextIO | None = None

    def add(self, row: Row, reason: str) -> None:
        if self._out is None:
            self._out = self._begun()
        self.count += 1
        if self._names is None:
            given = {name: value for name, value in row.given.items() if name not in (ERROR, LINE)}
            self._out.write(json.dumps({ERROR: reason, LINE: row.line, **given}, ensure_ascii=False, default=str) + "\n")
        else:
            self._write([reason, row.line, *self._own(row.given)])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None) -> None:
        if self._out is not None:
            self._out.close()

    @property
    def _names(self) -> Sequence[str] | None:
        return self._table.columns

    def _own(self, cells: Sequence[str]) -> list[str]:
        """Without what an earlier import wrote beside them."""
        names = self._names or ()
        return [cell for place, cell in enumerate(cells) if place >= len(names) or names[place] not in (ERROR, LINE)]

    def _begun(self) -> TextIO:
        # With its mark, for spreadsheets; what no encoding can say is written as an escape.
        encoding = "utf-8" if self._names is None else "utf-8-sig"
        try:
            out = self._out = self.file.open("w", encoding=encoding, errors="backslashreplace", newline="")
        except OSError as error:
            raise CannotRun(f"{self.file} cannot be written: {error.strerror}; name another place for failed rows by --failed.") from None
        if self._names is not None:
            self._write([ERROR, LINE, *self._own(list(self._names))])
        return out

    def _write(self, cells: Sequence[Any]) -> None:
        if self._out is not None:
            csv.writer(self._out, delimiter=self._table.delimiter).writerow(cells)
