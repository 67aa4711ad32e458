"""`import`: a file of profiles, through the API."""

from functools import partial
from pathlib import Path
from typing import Annotated

import typer

from profuse.commands.options import Dir
from profuse.commands.progress import told_rows
from profuse.stack import state
from profuse.stack.finding import directory_of
from runtime.errors import CannotRun
from schemas.matching import MODES, Matching

app = typer.Typer()


@app.command("import")
def import_(
    file: Annotated[Path, typer.Argument(metavar="FILE", help="CSV or NDJSON; Parquet and XLSX with the extra `files`.")],
    trigger: Annotated[int | None, typer.Option(help="Start this campaign for each profile.", show_default=False)] = None,
    db: Annotated[int | None, typer.Option(help="Without --trigger: the database to import into.", show_default=False)] = None,
    matching: Annotated[Matching, typer.Option(help="How profiles are found.")] = Matching.EMAIL,
    field: Annotated[str | None, typer.Option(help="With --matching custom or custom_sub: the field.", show_default=False)] = None,
    map_: Annotated[
        list[str] | None, typer.Option("--map", metavar="COLUMN=FIELD", help="May be repeated; COLUMN= leaves it out.", show_default=False)
    ] = None,
    map_file: Annotated[Path | None, typer.Option(help='The same as TOML: "E-mail" = "email".', show_default=False)] = None,
    columns: Annotated[
        str | None, typer.Option(help="For a CSV or a sheet without a header: its columns, separated by commas.", show_default=False)
    ] = None,
    format_: Annotated[
        str | None, typer.Option("--format", help="csv, ndjson, parquet, xlsx; else by the name.", show_default=False)
    ] = None,
    encoding: Annotated[str | None, typer.Option(help="Else it is found out.", show_default=False)] = None,
    delimiter: Annotated[str | None, typer.Option(help="Else it is found out.", show_default=False)] = None,
    failed: Annotated[Path | None, typer.Option(help="Where failed rows go; else FILE.failed.csv, or .ndjson.", show_default=False)] = None,
    dry_run: Annotated[bool, typer.Option("--dry-run", help="Import nothing; show the first rows that would fail, by line.")] = False,
    run: Annotated[str, typer.Option(help="Another name imports the same file once more.")] = "",
    token: Annotated[str | None, typer.Option(envvar="PROFUSE_TOKEN", help="API token.", show_default=False)] = None,
    url: Annotated[str | None, typer.Option(help="Of the API; else that of the stack in --dir.", show_default=False)] = None,
    directory: Dir = None,
) -> None:
    """Import a file of profiles, and start a campaign for each; each row once, however often the command is interrupted and repeated.

    Failed rows are kept in a file of their own with the reason beside each, which can be corrected and imported like any other.

    Example: profuse import people.csv --trigger 8 --map "E-mail=email" --map "Note="
    """
    from profuse.importing import whole
    from profuse.importing.aim import Aim
    from profuse.importing.failures import Failures, place
    from profuse.importing.mapping import pairs
    from profuse.importing.opening import Given, opened

    _check_together(trigger, db, matching, field)
    given = Given(format_, encoding, delimiter, [name.strip() for name in columns.split(",")] if columns else None)
    mapping = (whole.columns_of(map_file) if map_file else {}) | pairs(map_ or ())
    table = opened(file, given)
    failures = Failures(place(file, table, failed), table)
    door, aim = whole.Door(url or _api(directory), _token(token)), Aim(trigger, db, matching.value, field, mapping, run)
    typer.echo(f"{file}: {table.described}", err=True)
    warn = partial(typer.echo, err=True)
    with told_rows(table.total) as tell:
        if dry_run:
            tally = whole.checked(file, table, door, aim, typer.echo, warn, tell)
        else:
            tally = whole.imported(table, door, aim, given, failures, warn, tell)
    typer.echo(whole.ended(tally, None if dry_run else failures))
    raise typer.Exit(1 if tally.failed else 0)


def _check_together(trigger: int | None, db: int | None, matching: Matching, field: str | None) -> None:
    if (trigger is None) == (db is None):
        raise typer.BadParameter("name either --trigger or --db")
    if (MODES[matching].named is not None) != (field is not None):
        raise typer.BadParameter("--field belongs to --matching custom and custom_sub, and each of these needs it")


def _api(directory: Path | None) -> str:
    found = directory_of(directory)
    running = state.read(found)
    if running is None or running.api is None:
        raise CannotRun(f"No stack runs in {found}: start it with `profuse up`, or name the API by --url.")
    return running.api


def _token(given: str | None) -> str:
    if not given:
        raise CannotRun("An API token is needed: --token, or better PROFUSE_TOKEN, which `ps` does not show.")
    return given
