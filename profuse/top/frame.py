"""A frame for a terminal."""

from collections.abc import Sequence

from rich.console import Group, RenderableType
from rich.table import Table
from rich.text import Text

from profuse.top.rows import Row

_COLUMNS = ("room", "ready", "cores", "memory", "rate", "waiting", "late", "trouble")
_RIGHT = {"cores", "memory", "rate"}


def frame(rows: Sequence[Row], told: Sequence[str], moment: str) -> RenderableType:
    table = Table(box=None, pad_edge=False)
    for column in _COLUMNS:
        table.add_column(column, justify="right" if column in _RIGHT else "left", no_wrap=column in ("room", "ready", *_RIGHT))
    for row in rows:
        ready = Text(row.processes, style="" if row.all_ready else "bold red")
        table.add_row(row.room, ready, row.cores, row.memory, row.rate, row.waiting, row.late, _troubles(row))
    # What processes say may have brackets, which are no markup.
    return Group(Text(f"profuse top  {moment}", style="bold"), table, *(Text(line, style="red") for line in told))


def _troubles(row: Row) -> Text:
    """What is new is red."""
    parts = [Text(each, style="bold red" if each in row.news else "yellow") for each in row.troubles]
    return Text(", ").join(parts)
