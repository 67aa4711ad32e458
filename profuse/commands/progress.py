"""How far a long command has come, for a person who watches it."""

import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from functools import partial

from rich.console import Console
from rich.progress import BarColumn, Progress, TaskProgressColumn, TextColumn, TimeRemainingColumn

from profuse.pacing import now_and_then


@contextmanager
def told_how_far(what: str, total: int) -> Iterator[Callable[[int], None]]:
    """A bar on the terminal, away from what the command prints; scripts see nothing of it."""
    console = Console(stderr=True)
    with Progress(console=console, disable=not console.is_terminal, transient=True) as progress:
        task = progress.add_task(what, total=total)
        yield lambda more: progress.advance(task, more)


@contextmanager
def told_in_a_line() -> Iterator[Callable[[str], None]]:
    """A line on the terminal that changes; where there is none, as in a container, one now and then."""
    console = Console(stderr=True)
    if not console.is_terminal:
        yield now_and_then(console.print)
        return
    with console.status("") as status:
        yield status.update


@contextmanager
def told_rows(total: int) -> Iterator[Callable[[int, int, int], None]]:
    """Line, rows and failed ones, as a bar with rate and time left; where there is no terminal, one line now and then."""
    console, began = Console(stderr=True), time.monotonic()
    if not console.is_terminal:
        say = now_and_then(partial(console.print, highlight=False))
        yield lambda _, rows, failed: say(f"{rows:,} rows, {rows / (time.monotonic() - began):,.0f} a second, {failed:,} failed")
        return
    counts = TextColumn("{task.fields[rows]:,} rows, {task.fields[rate]:,.0f} a second, {task.fields[failed]:,} failed,")
    with Progress(BarColumn(), TaskProgressColumn(), counts, TimeRemainingColumn(), console=console, transient=True) as progress:
        task = progress.add_task("", total=total, rows=0, rate=0, failed=0)

        def tell(line: int, rows: int, failed: int) -> None:
            progress.update(task, completed=line, rows=rows, rate=rows / (time.monotonic() - began), failed=failed)

        yield tell
