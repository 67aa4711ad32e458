"""From a file's name to its table."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

from profuse.importing.csv_table import check_names, csv_table
from profuse.importing.ndjson import ndjson_table
from profuse.importing.source import Source
from profuse.importing.table import Table
from runtime.errors import CannotRun

FORMATS = ("csv", "ndjson", "parquet", "xlsx")
_SUFFIXES = {".csv": "csv", ".tsv": "csv", ".txt": "csv", ".ndjson": "ndjson", ".jsonl": "ndjson", ".json": "ndjson"}


@dataclass(frozen=True)
class Given:
    """What is known of a file beforehand; the rest is found out."""

    format: str | None = None
    encoding: str | None = None
    delimiter: str | None = None
    columns: Sequence[str] | None = None


def named_format(file: Path) -> str:
    """What a file is by its name."""
    suffix = file.suffix.lower()
    return _SUFFIXES.get(suffix, suffix[1:])


def opened(file: Path, given: Given) -> Table:
    """Raises `CannotRun`."""
    kind = given.format or named_format(file)
    if given.columns is not None:
        _check_columns(given.columns, kind)
    match kind:
        case "csv":
            return csv_table(Source(file), given.encoding, "\t" if given.delimiter == r"\t" else given.delimiter, given.columns)
        case "ndjson":
            return ndjson_table(Source(file), given.encoding)
        case "parquet":
            return _parquet(file)
        case "xlsx" | "xls" | "xlsb" | "ods":
            return _xlsx(file, given.columns)
    raise CannotRun(f"{file} does not say by its name what it is: --format {', '.join(FORMATS)}.")


def _parquet(file: Path) -> Table:
    try:
        from profuse.importing.parquet import parquet_table  # noqa: PLC0415  # of an extra
    except ModuleNotFoundError:
        raise _missing("Parquet", "pyarrow") from None
    return parquet_table(Source(file))


def _xlsx(file: Path, columns: Sequence[str] | None) -> Table:
    try:
        from profuse.importing.xlsx import xlsx_table  # noqa: PLC0415  # of an extra
    except ModuleNotFoundError:
        raise _missing("XLSX", "python-calamine") from None
    return xlsx_table(Source(file), columns)


def _missing(what: str, package: str) -> CannotRun:
    return CannotRun(f"Reading {what} needs the extra `files`: pip install {package}.")


def _check_columns(names: Sequence[str], kind: str) -> None:
    if kind in ("ndjson", "parquet"):
        raise CannotRun(f"--columns is for files without a header, and {kind} names what it holds: leave it out, or rename by --map.")
    check_names("--columns names", names)
