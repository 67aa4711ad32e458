"""Action hooks: the process that serves them, and what an operator does about them."""

import asyncio
from datetime import datetime
from typing import Annotated

import typer

from profuse.commands.options import Dir, moment
from profuse.commands.tables import show_rows
from profuse.stack.finding import settings_of

app = typer.Typer(invoke_without_command=True)

_COLUMNS = ("account", "name", "state", "why", "since", "behind", "lost", "answer", "answered_at")

Name = Annotated[str, typer.Argument(help="The hook's name.")]
Account = Annotated[int | None, typer.Option(help="Its account, where several have a hook of this name.", show_default=False)]


@app.callback()
def hooks(context: typer.Context, directory: Dir = None) -> None:
    """Run hooks: events in, signed POSTs out; or see hooks, resume one, replay to one.

    Example: PROFUSE_HEALTH_PORT=9093 profuse hooks
    """
    if context.invoked_subcommand is not None:
        return
    from runtime.process import host
    from workers.hooks.room import open_hooks

    host("hooks", open_hooks, settings_of(directory))


@app.command("list")
def list_(
    as_json: Annotated[bool, typer.Option("--json", help="A JSON array instead of a table.")] = False,
    directory: Dir = None,
) -> None:
    """Show each hook: its state, how many records of the topic it has yet to look at, how many it lost, its last answer.

    Example: profuse hooks list --json
    """
    from profuse import hooks as operating

    rows = asyncio.run(operating.listed(settings_of(directory)))
    show_rows(_COLUMNS, rows, as_json=as_json)


@app.command()
def resume(name: Name, account: Account = None, directory: Dir = None) -> None:
    """Let a paused hook go on from where it stands; one that waits to be tried again is tried at once.

    Example: profuse hooks resume crm
    """
    from profuse import hooks as operating

    typer.echo(asyncio.run(operating.resume(settings_of(directory), name, account)))


@app.command()
def replay(
    name: Name,
    since: Annotated[datetime, moment("A moment")],
    account: Account = None,
    directory: Dir = None,
) -> None:
    """Let a hook begin again at the events of a moment, as far as the broker still has them.

    Example: profuse hooks replay crm --since 2026-01-31T08:00:00
    """
    from profuse import hooks as operating

    typer.echo(asyncio.run(operating.replay(settings_of(directory), name, account, since)))
