"""Tables for a person, whole also where they go into a pipe."""

import sys
from collections.abc import Iterable
from datetime import datetime

from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

_PIPE = 250


def show(columns: Iterable[Column | str], rows: Iterable[Iterable[str]]) -> None:
    table = Table(*columns, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*map(escape, row))
    # Without a terminal rich would fold lines at 80 characters.
    Console(width=None if sys.stdout.isatty() else _PIPE).print(table)


def cell(value: object) -> str:
    """A value as a table shows it; moments are UTC."""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    return "" if value is None else str(value)
