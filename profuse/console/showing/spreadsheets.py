"""Pure: rows as CSV that a spreadsheet reads as text and as nothing else."""

import csv
import io
from collections.abc import Iterable

# What would be a formula.
_BEGINNINGS = ("=", "+", "-", "@", "\t", "\r")


def line(values: Iterable[object]) -> str:
    written = io.StringIO()
    csv.writer(written).writerow([_cell(value) for value in values])
    return written.getvalue()


def _cell(value: object) -> str:
    text = "" if value is None else str(value)
    return f"'{text}" if text.startswith(_BEGINNINGS) else text
