"""Providers, from the operator's side."""

import asyncio
from typing import Annotated, Any

import typer

from profuse.commands.options import Dir
from profuse.commands.tables import show_rows
from profuse.stack.finding import settings_of
from runtime.errors import CannotRun
from schemas.settings import Settings

app = typer.Typer(help="See the providers that messages leave by, and resume one that is paused or held.", no_args_is_help=True)

_COLUMNS = ("account", "name", "channel", "state", "since", "next_try", "why")


@app.command("list")
def list_(
    as_json: Annotated[bool, typer.Option("--json", help="A JSON array instead of a table.")] = False,
    directory: Dir = None,
) -> None:
    """Show all providers, whether they take messages, and why not; times are UTC.

    Example: profuse providers list --json
    """
    rows = asyncio.run(_listed(settings_of(directory)))
    show_rows(_COLUMNS, rows, as_json=as_json)


@app.command()
def resume(
    name: Annotated[str, typer.Argument(help="The provider's name.")],
    account: Annotated[int | None, typer.Option(help="Its account, where several have one of this name.", show_default=False)] = None,
    directory: Dir = None,
) -> None:
    """Let launchers try a provider again that is paused or held.

    Example: profuse providers resume sms-main
    """
    from profuse import providers

    if not asyncio.run(providers.resume(settings_of(directory), name, account)):
        raise CannotRun(f"There is no provider {name}: `profuse providers list` shows them.")
    typer.echo(f"{name} is tried again with the next launch")


async def _listed(settings: Settings) -> list[dict[str, Any]]:
    from profuse import providers
    from profuse.postgres import transaction

    async with transaction(settings) as connection:
        return await providers.listed(connection)
