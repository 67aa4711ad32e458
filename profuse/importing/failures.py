"""Failed rows, each with its reason beside it, in a file that can be corrected and imported again."""

import csv
import json
from collections.abc import Sequence
from pathlib import Path
from types import TracebackType
from typing import Any, Self, TextIO

from profuse.importing.opening import FORMATS, named_format
from profuse.importing.table import ERROR, LINE, Row, Table
from profuse_client.encoding import plain
from runtime.errors import CannotRun

# Beside what comes through these nothing can be kept, or should be; and all of it has one name.
_PASSAGES = (Path("/dev"), Path("/dev/fd"))

# Of the digest of what came.
_TOLD_APART = 8

# What every file of failed rows begins with, as CSV and as NDJSON.
_BEGINNINGS = (f"\ufeff{ERROR}".encode(), f'{{"{ERROR}"'.encode())
_SEEN = max(map(len, _BEGINNINGS))


def place(file: Path, table: Table, wanted: Path | None) -> Path:
    """Where the failed rows of a file go; raises `CannotRun` if that is the file, or would be read as another kind than it is."""
    kind = "ndjson" if table.objects else "csv"
    passed = file.parent in _PASSAGES or file.is_relative_to("/proc")
    beside = Path(f"{file.stem}-{table.digest[:_TOLD_APART]}") if passed else file.parent / file.stem
    found = wanted or beside.parent / f"{beside.name}.failed.{kind}"
    if (said := named_format(found)) != kind and said in FORMATS:
        raise CannotRun(
            f"Failed rows of {file} are kept as {kind.upper()}: name a file for that, as in --failed {found.with_suffix(f'.{kind}')}"
        )
    if found.resolve() == file.resolve():
        raise CannotRun(f"Failed rows would overwrite {file}: name another place for them by --failed.")
    return found


class NotKept(CannotRun):
    """A failed row has no place."""

    def __init__(self, file: Path, error: OSError) -> None:
        super().__init__(f"{file} cannot be written: {error.strerror}; make room, or name another place by --failed")


class Failures:
    """NDJSON where rows are objects, else CSV; the file is made by the first failure, in the place of an older one, which goes without."""

    def __init__(self, file: Path, table: Table) -> None:
        self.file = file
        self.count = 0
        self._table = table
        self._out: TextIO | None = None

    def add(self, row: Row, reason: str) -> None:
        """Raises `NotKept`."""
        try:
            self._add(row, reason)
        except OSError as error:
            raise NotKept(self.file, error) from None

    def _add(self, row: Row, reason: str) -> None:
        if self._out is None:
            self._out = self._begun()
        self.count += 1
        if self._table.objects:
            given = {name: value for name, value in row.given.items() if name not in (ERROR, LINE)}
            self._out.write(json.dumps({ERROR: reason, LINE: row.line, **given}, ensure_ascii=False, default=_said) + "\n")
        else:
            self._write([reason, row.line, *self._own(row.given)])

    def __enter__(self) -> Self:
        return self

    def __exit__(self, kind: type[BaseException] | None, error: BaseException | None, where: TracebackType | None) -> None:
        try:
            if self._out is not None:
                self._out.close()
            elif error is None:
                self._drop_older()
        except OSError as trouble:
            # What ended it before says more.
            if error is None:
                raise NotKept(self.file, trouble) from None

    def _drop_older(self) -> None:
        """Else it would look as if this import had kept it."""
        # A device is no file, and what does not begin like ours is somebody's own, named by mistake.
        if self.file.is_file():
            with self.file.open("rb") as older:
                is_ours = older.read(_SEEN).startswith(_BEGINNINGS)
            if is_ours:
                self.file.unlink()

    @property
    def _names(self) -> Sequence[str]:
        return self._table.columns or ()

    def _own(self, cells: Sequence[str]) -> list[str]:
        """Without what an earlier import wrote beside them."""
        names = self._names
        return [cell for place, cell in enumerate(cells) if place >= len(names) or names[place] not in (ERROR, LINE)]

    def _begun(self) -> TextIO:
        # With its mark, for spreadsheets; what no encoding can say is written as an escape.
        encoding = "utf-8" if self._table.objects else "utf-8-sig"
        out = self._out = self.file.open("w", encoding=encoding, errors="backslashreplace", newline="")
        if not self._table.objects:
            self._write([ERROR, LINE, *self._own(self._names)])
        return out

    def _write(self, cells: Sequence[Any]) -> None:
        if self._out is not None:
            csv.writer(self._out, delimiter=self._table.delimiter).writerow(cells)


def _said(value: object) -> object:
    """As it would be sent, so that it is the same when it is imported again."""
    try:
        return plain(value)
    except TypeError:
        return str(value)
