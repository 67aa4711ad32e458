"""Tables for a person, whole also where they go into a pipe."""

import json
import re
import sys
from collections.abc import Iterable, Mapping, Sequence
from datetime import datetime

import typer
from rich.console import Console
from rich.markup import escape
from rich.table import Column, Table

_PIPE = 250
# Whoever names a thing may write so that its row reads backwards.
_TURNING = re.compile("[\u202a-\u202e\u2066-\u2069]")


def show(columns: Iterable[Column | str], rows: Iterable[Iterable[str]]) -> None:
    table = Table(*columns, box=None, pad_edge=False)
    for row in rows:
        table.add_row(*(escape(_TURNING.sub(_spelled, cell)) for cell in row))
    console().print(table)


def console() -> Console:
    # Without a terminal rich would fold lines at 80 characters.
    return Console(width=None if sys.stdout.isatty() else _PIPE)


def show_rows(columns: Sequence[str], rows: Sequence[Mapping[str, object]], *, as_json: bool) -> None:
    """What a command lists: a JSON array, or a table; the first column is copied into other commands, so it is never folded."""
    if as_json:
        typer.echo(as_text(rows))
    else:
        show((Column(columns[0], no_wrap=True), *columns[1:]), ([_cell(row[name]) for name in columns] for row in rows))


def as_text(value: object) -> str:
    """JSON, moments in RFC 3339."""
    return json.dumps(value, default=lambda moment: moment.isoformat())


def _spelled(letter: re.Match[str]) -> str:
    return f"\\u{ord(letter[0]):04x}"


def _cell(value: object) -> str:
    """A value as a table shows it; moments are UTC."""
    if isinstance(value, datetime):
        return value.strftime("%Y-%m-%d %H:%M:%S")
    return "" if value is None else str(value)
