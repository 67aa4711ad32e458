"""Who may log in to the console."""

import asyncio
import re
from datetime import timedelta
from typing import Annotated

import typer

from profuse.commands.options import Dir
from profuse.commands.tables import show_rows
from profuse.stack.finding import settings_of
from runtime.errors import CannotRun

app = typer.Typer(help="Say who may log in to the console, and what they may do there.", no_args_is_help=True)

_LASTS = re.compile(r"([0-9]{1,4})([hd])")


@app.command()
def add(
    name: Annotated[str, typer.Argument(help="Whom it is for: the log of actions shows it.")],
    operator: Annotated[bool, typer.Option("--operator", help="They may act, too: cancel, replay, drop, resume.")] = False,
    expires: Annotated[
        str | None, typer.Option(help="How long it lasts: 12h, 30d; left out: until it is revoked.", show_default=False)
    ] = None,
    directory: Dir = None,
) -> None:
    """Make a token and show it, only now: it is stored as a hash.

    Example: profuse console-tokens add ann --operator --expires 30d
    """
    from profuse import console_tokens
    from profuse.console.access.rights import Rights

    rights = Rights.OPERATE if operator else Rights.READ
    typer.echo(asyncio.run(console_tokens.add(settings_of(directory), name, rights, _lasts(expires))))


@app.command("list")
def list_(
    as_json: Annotated[bool, typer.Option("--json", help="A JSON array instead of a table.")] = False,
    directory: Dir = None,
) -> None:
    """Show who may log in, and when each last did; times are UTC.

    Example: profuse console-tokens list --json
    """
    from profuse import console_tokens

    show_rows(console_tokens.COLUMNS, asyncio.run(console_tokens.listed(settings_of(directory))), as_json=as_json)


@app.command()
def revoke(name: Annotated[str, typer.Argument(help="As `list` shows it.")], directory: Dir = None) -> None:
    """Let nobody log in with a token any more, and log out who is.

    Example: profuse console-tokens revoke ann
    """
    from profuse import console_tokens

    asyncio.run(console_tokens.revoke(settings_of(directory), name))
    typer.echo(f"{name} is revoked")


def _lasts(shown: str | None) -> timedelta | None:
    if shown is None:
        return None
    found = _LASTS.fullmatch(shown)
    if found is None:
        raise CannotRun(f"{shown} is no time that a token lasts: say 12h or 30d.")
    return timedelta(**{{"h": "hours", "d": "days"}[found[2]]: int(found[1])})
