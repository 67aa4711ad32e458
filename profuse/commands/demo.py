"""`demo`: the stack in the foreground, with examples going through it."""

import asyncio
from functools import partial

import typer
from rich.console import Console

from profuse.commands.options import Dir
from profuse.commands.stack import interrupted
from profuse.stack.finding import directory_of
from schemas.settings import Settings

app = typer.Typer()


@app.command()
def demo(directory: Dir = None) -> None:
    """Run the stack, post the examples, and show every launch as it happens; Ctrl-C stops it all.

    Example: profuse demo
    """
    from profuse.demo.telling import tell
    from profuse.stack import process_identity, starting
    from runtime.racing import first

    found, console = directory_of(directory), Console(highlight=False)

    async def run() -> None:
        works = [tell(found, console), interrupted()]
        if process_identity.supervised(found) is None:
            works.append(starting.supervise(found, {}, Settings(), partial(console.print, markup=False, soft_wrap=True)))
        await first(*works)

    asyncio.run(run())
