"""NDJSON: one profile a line, as a JSON object."""

import json
from collections.abc import Iterator
from typing import Any

from profuse.importing.lines import LONGEST, Lines, TooLong
from profuse.importing.source import Source
from profuse.importing.table import Row, Table
from profuse.importing.text import look, reading
from runtime.errors import CannotRun

_SHOWN = 1_000
# Characters: what escapes every letter, as many programs do, writes six for each.
LONGEST_OBJECT = 6 * LONGEST
TEXT = "#text"


def ndjson_table(file: Source, encoding: str | None) -> Table:
    """Raises `CannotRun` for a file that is one array: it could only be read whole."""
    looked = look(file, encoding)
    with reading(file, looked.encoding) as text:
        if text.read(1_000).lstrip().startswith("["):
            raise CannotRun(f"{file} is one JSON array; write one object a line: jq -c '.[]' {file} > {file.named.stem}.ndjson")
    return Table(None, lambda: _rows(file, looked.encoding), looked.lines, looked.digest, f"NDJSON in {looked.encoding}", objects=True)


def _rows(file: Source, encoding: str) -> Iterator[Row]:
    with reading(file, encoding) as text:
        lines = Lines(text, LONGEST_OBJECT)
        while True:
            lines.begin()
            try:
                line = next(lines)
            except StopIteration:
                return
            except TooLong as error:
                yield Row(lines.number, {TEXT: lines.taken[0][:_SHOWN]}, wrong=str(error))
            else:
                if line.strip():
                    yield _row(lines.number, line)


def _row(number: int, line: str) -> Row:
    try:
        given: Any = json.loads(line)
    except json.JSONDecodeError as error:
        return Row(number, {TEXT: line.rstrip("\r\n")}, wrong=f"not JSON: {error.msg} at character {error.colno}")
    except (ValueError, RecursionError) as error:
        return Row(number, {TEXT: line.rstrip("\r\n")}, wrong=f"not JSON: {error}")
    if not isinstance(given, dict) or TEXT in given:
        return Row(number, given if isinstance(given, dict) else {TEXT: line.rstrip("\r\n")}, wrong="not a JSON object")
    if "" in given:
        return Row(number, given, wrong=f"{given['']!r} has no name")
    return Row(number, given, given)
