"""The local stack: `up`, `status`, `down`, `install`."""

import asyncio
import signal
from collections.abc import Sequence
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.table import Table

from profuse.commands.options import Dir
from profuse.commands.tables import as_text, show_rows
from profuse.stack.finding import directory_of
from runtime.errors import CannotRun
from schemas.bounds import LAST_PORT
from schemas.settings import Settings

app = typer.Typer()

# The image of the rooms holds nothing of the local stack, so each command imports what it needs of it.

Count = Annotated[int | None, typer.Option(min=0, help="How many of them; left out: as many as run, or 1.", show_default=False)]


@app.command()
def up(
    detach: Annotated[bool, typer.Option("--detach", help="Return when all is ready; it runs on in the background.")] = False,
    directory: Dir = None,
    port: Annotated[int | None, typer.Option(min=0, max=LAST_PORT, help="Of the API; 0 is any free one.", show_default="8080")] = None,
    gateways: Count = None,
    matchers: Count = None,
    launchers: Count = None,
    hooks: Count = None,
    consoles: Count = None,
    lock: Annotated[int | None, typer.Option(hidden=True, help="Its descriptor, where it is held already.")] = None,
) -> None:
    """Make the stack equal the arguments: broker, Postgres, mail sink, rooms and console.

    Example: profuse up --detach --matchers 2
    """
    from profuse.stack import process_identity, starting
    from runtime.racing import first

    found = directory_of(directory)
    counts = {"gateway": gateways, "matcher": matchers, "launcher": launchers, "hooks": hooks, "console": consoles}
    settings = Settings() if port is None else Settings(port=port)
    if running := process_identity.supervised(found):
        starting.change(found, running, counts, port)
        typer.echo(f"Ready: {running.api}")
    elif detach:
        starting.detach(found, counts, settings, typer.echo)
    else:
        asyncio.run(first(starting.supervise(found, counts, settings, typer.echo, lock), interrupted()))


@app.command()
def status(
    as_json: Annotated[bool, typer.Option("--json", help="The same for programs.")] = False,
    directory: Dir = None,
) -> None:
    """Say what runs and whether it is ready; exits with 0 when all is.

    Example: profuse status --json
    """
    from profuse.stack import lock
    from profuse.stack import status as statuses

    found = directory_of(directory)
    reported = asyncio.run(statuses.report(found))
    providers = asyncio.run(statuses.troubled_providers(found, reported))
    if as_json:
        typer.echo(as_text({**reported, "providers": providers}))
    elif not reported["processes"] and lock.holder(found):
        typer.echo("It is being started, or stopped: no process of it runs yet.")
    else:
        _show(reported)
        _show_providers(providers)
        if reported["processes"] and not statuses.is_supervised(found):
            typer.echo("Nobody starts these again when they end: `profuse up` does, and `profuse down` stops them.")
    raise typer.Exit(0 if statuses.is_all_ready(found, reported) else 1)


@app.command()
def down(
    wipe: Annotated[bool, typer.Option("--wipe", help="Delete the stack's directory and all data in it.")] = False,
    directory: Dir = None,
) -> None:
    """Stop the stack in order; that nothing runs is success.

    Example: profuse down --wipe
    """
    from profuse.stack import directory as directories
    from profuse.stack import stopping

    found = directory_of(directory)
    typer.echo("Stopped." if stopping.stop(found) else f"Nothing runs in {found}.")
    if wipe and directories.wipe(found):
        typer.echo(f"Deleted {found}.")


@app.command()
def install() -> None:
    """Download the broker's jars and rehearse its start, unless that is done already.

    Example: profuse install
    """
    from profuse.stack import jars, rehearsal

    class_path = jars.install()
    typer.echo(f"Apache Kafka is installed: {len(class_path)} jars.")
    if not rehearsal.is_done(class_path):
        typer.echo("Rehearsing its start once: each later one takes half as long.")
        try:
            rehearsal.rehearse(class_path)
        except CannotRun as problem:
            # Nothing that is needed: it is tried again by whoever installs again.
            typer.echo(f"It will start as slowly as without: {problem}", err=True)


async def interrupted() -> None:
    """Until somebody asks this process to stop."""
    stop = asyncio.Event()
    # A terminal that is closed hangs up.
    for asked in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
        asyncio.get_running_loop().add_signal_handler(asked, stop.set)
    await stop.wait()


def _show_providers(providers: Sequence[dict[str, Any]] | None) -> None:
    if providers is None:
        typer.echo("providers: Postgres does not say")
    elif providers:
        typer.echo("Providers that took nothing when they were tried last (`profuse providers resume` lets one be tried at once):")
        show_rows(("name", "account", "channel", "state", "since", "next_try", "why"), providers, as_json=False)


def _show(reported: dict[str, Any]) -> None:
    if not reported["processes"]:
        typer.echo("Nothing runs: start it with `profuse up`.")
        return
    table = Table(box=None)
    for column in ("name", "pid", "ready", "url"):
        table.add_column(column)
    for process in reported["processes"]:
        table.add_row(process["name"], str(process["pid"]), "yes" if process["ready"] else "no", process["url"])
    Console().print(table)
    for name in ("api", "console", "kafka", "postgres", "mail"):
        typer.echo(f"{name}: {reported[name]}")
