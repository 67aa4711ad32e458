"""Profiles, from the operator's side."""

import asyncio
import json
from typing import Annotated

import typer

from profuse.commands.asking import agreed
from profuse.commands.options import Dir
from profuse.stack.finding import settings_of
from runtime.errors import CannotRun

app = typer.Typer(help="See a profile, or erase it.", no_args_is_help=True)

Id = Annotated[str | None, typer.Argument(metavar="ID", help="The profile's id: 24 hex digits.", show_default=False)]
Account = Annotated[int | None, typer.Option(help="Without an id: the account that has the database.", show_default=False)]
Database = Annotated[int | None, typer.Option(help="Without an id: the database's number.", show_default=False)]
Email = Annotated[str | None, typer.Option(help="Its e-mail, or one that it is subscribed with.", show_default=False)]
Phone = Annotated[str | None, typer.Option(help="Its phone, or one that it is subscribed with.", show_default=False)]
Field = Annotated[str | None, typer.Option(help="A field to match by, with --value.", show_default=False)]
Value = Annotated[str | None, typer.Option(help="The value of --field.", show_default=False)]
Json = Annotated[bool, typer.Option("--json", help="JSON instead of lines.")]


@app.command()
def show(
    id_: Id = None,
    account: Account = None,
    database: Database = None,
    email: Email = None,
    phone: Phone = None,
    field: Field = None,
    value: Value = None,
    as_json: Json = False,
    directory: Dir = None,
) -> None:
    """Show one profile with its subscriptions.

    Example: profuse profiles show --account 1 --database 1 --email ann@example.com
    """
    from profuse import profiles

    wanted = profiles.wanted(id_, account, database, email, phone, field, value)
    found = asyncio.run(profiles.show(settings_of(directory), wanted))
    if as_json:
        typer.echo(json.dumps(found, ensure_ascii=False))
    else:
        typer.echo("\n".join(f"{name}: {each if isinstance(each, str) else json.dumps(each)}" for name, each in found.items()))


@app.command()
def erase(
    id_: Id = None,
    account: Account = None,
    database: Database = None,
    email: Email = None,
    phone: Phone = None,
    field: Field = None,
    value: Value = None,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    as_json: Json = False,
    directory: Dir = None,
) -> None:
    """Erase one profile for good: all that is stored of it but its bare id; SECURITY.md says what stays elsewhere, and how long.

    Example: profuse profiles erase 0198c1f3a2b4c5d6e7f80912 --yes
    """
    from profuse import profiles

    settings, wanted = settings_of(directory), profiles.wanted(id_, account, database, email, phone, field, value)
    profile = asyncio.run(profiles.show(settings, wanted))["_id"]
    if not yes and not agreed(f"Erase the profile {profile} for good?"):
        raise CannotRun("Nothing was erased.")
    asyncio.run(profiles.erase(settings, profile))
    typer.echo(json.dumps({"profile_id": profile}) if as_json else f"profile {profile} is erased")
