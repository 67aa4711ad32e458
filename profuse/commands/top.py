"""What the processes do right now, in a terminal."""

import asyncio
import sys
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager
from datetime import datetime
from functools import partial
from typing import Annotated

import typer
from rich.console import RenderableType
from rich.live import Live

from profuse.commands.options import Dir
from profuse.commands.stack import interrupted
from profuse.commands.tables import console
from profuse.stack.finding import directory_of
from profuse.top.rooms import Addresses
from runtime.errors import CannotRun

app = typer.Typer()


@app.command()
def top(
    once: Annotated[bool, typer.Option("--once", help="Show one frame, of one interval, and end.")] = False,
    interval: Annotated[float, typer.Option(min=0.1, help="Seconds between two looks.")] = 2.0,
    at: Annotated[
        list[str] | None,
        typer.Option(help="A process elsewhere, as ROOM=URL of its health port; repeat it for more.", show_default=False),
    ] = None,
    directory: Dir = None,
) -> None:
    """Show what the processes of each room do, from their metrics: rates, what waits, what is late, what fails.

    Troubles are counted since their process was started; those that became more since the look before are red. Ctrl-C ends it.

    Example: profuse top --once
    """
    from profuse.top.looking import of_stack
    from runtime.racing import first

    found, elsewhere = directory_of(directory), _elsewhere(at or [])
    if not (elsewhere or of_stack(found)):
        raise CannotRun(f"No stack runs in {found}: start it with `profuse up`, or name processes with --at ROOM=URL.")
    asyncio.run(first(_watch(lambda: elsewhere or of_stack(found), interval, once=once), interrupted()))


async def _watch(addresses: Callable[[], Addresses], interval: float, *, once: bool) -> None:
    from profuse.plain_http import plain_client
    from profuse.top.frame import frame
    from profuse.top.looking import look
    from profuse.top.rows import rows, told

    async with plain_client() as http:
        before = await look(http, addresses())
        with _screen(is_live=not once and sys.stdout.isatty()) as show:
            while True:
                await asyncio.sleep(interval)
                now = await look(http, addresses())
                show(frame(rows(before, now), told(now), datetime.now().astimezone().strftime("%H:%M:%S")))
                before = now
                if once:
                    return


@contextmanager
def _screen(*, is_live: bool) -> Iterator[Callable[[RenderableType], None]]:
    """The whole terminal; or, for one frame and where there is no terminal, one frame below the other."""
    if not is_live:
        yield console().print
        return
    with Live(screen=True, auto_refresh=False) as live:
        yield partial(live.update, refresh=True)


def _elsewhere(named: Sequence[str]) -> Addresses:
    from profuse.top.rooms import SHOWN

    addresses = {}
    for number, each in enumerate(named, 1):
        room, separator, url = each.partition("=")
        if room not in SHOWN or not separator:
            raise typer.BadParameter(f"{each} is not ROOM=URL; a room is one of {', '.join(SHOWN)}")
        addresses[f"{room}-{number}"] = room, url.rstrip("/")
    return addresses
