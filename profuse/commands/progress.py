"""How far a long command has come, for a person who watches it."""

from collections.abc import Callable, Iterator
from contextlib import contextmanager

from rich.console import Console
from rich.progress import Progress

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
