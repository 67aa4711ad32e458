"""What the rooms find in place: tables, topics, accounts, settings."""

import asyncio
import logging
from pathlib import Path
from typing import Annotated

import typer
from rich.table import Column

from profuse.commands.options import Dir
from profuse.commands.progress import told_in_a_line
from profuse.commands.tables import show
from profuse.stack.finding import settings_of
from runtime.errors import CannotRun
from schemas.settings import Settings

app = typer.Typer()


@app.command()
def apply(
    file: Annotated[Path, typer.Argument(help="A TOML file, see examples/demo.toml.")],
    prune: Annotated[
        bool, typer.Option("--prune", help="Revoke tokens, and deactivate triggers and hooks, that the file does not name.")
    ] = False,
    reindex: Annotated[
        bool,
        typer.Option("--reindex", help="File the profiles that exist by fields that become searchable; may be repeated if interrupted."),
    ] = False,
    dry_run: Annotated[
        bool, typer.Option("--dry-run", help="Show what would change and what it means for stored profiles; change nothing.")
    ] = False,
    directory: Dir = None,
) -> None:
    """Bring accounts, tokens, databases, resources, providers, triggers and hooks to what FILE says; all of it or nothing.

    Tells before it does it how many profiles hold values that a changed declaration no longer fits.

    Example: profuse apply --dry-run examples/demo.toml
    """
    from profuse.applying import BadDeclaration
    from profuse.applying import apply as apply_text

    text, settings = text_of(file), settings_of(directory)
    try:
        with told_in_a_line() as progress:
            how = {"pruning": prune, "reindexing": reindex, "dry": dry_run}
            changed = asyncio.run(apply_text(settings, text, tell=_tell, progress=progress, **how))
        if not changed:
            _print([])
        elif dry_run:
            typer.echo("nothing was changed: this was a dry run")
    except BadDeclaration as error:
        raise CannotRun("\n".join(f"{file}: {line}" for line in str(error).splitlines())) from None


@app.command()
def migrate(
    refile: Annotated[
        bool,
        typer.Option("--refile", help="File all that is stored anew once more, as after an upgrade beside workers of the release before."),
    ] = False,
    directory: Dir = None,
) -> None:
    """Make tables, topics and first positions; safe to repeat, and to run in several places at once.

    What is stored in a spelling of before is brought to that of today, in pages, beside the imports; if it is interrupted, repeat it.

    Example: PROFUSE_PARTITIONS=24 profuse migrate
    """
    # What the client says of a broker that is not there yet, at every attempt, the error says once.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    from profuse.migrating import migrate as migrate_all

    with told_in_a_line() as progress:
        changed = asyncio.run(migrate_all(settings_of(directory), refiling=refile, progress=progress))
    _print(changed)


@app.command()
def settings(
    env: Annotated[bool, typer.Option("--env", help="Print the text of .env.example instead.")] = False, directory: Dir = None
) -> None:
    """Show every setting, its value and its meaning; passwords are masked.

    Example: profuse settings
    """
    from profuse.describing import described, example

    if env:
        typer.echo(example(), nl=False)
        return
    show((Column("variable", no_wrap=True), Column("value", overflow="fold"), "meaning"), described(_known(directory)))


def text_of(file: Path) -> str:
    try:
        return file.read_text(encoding="utf-8-sig")
    except OSError as error:
        raise CannotRun(f"{file} cannot be read: {error.strerror}") from None
    except UnicodeDecodeError as error:
        raise CannotRun(f"{file} is not UTF-8: {error.reason} at byte {error.start}") from None


def _tell(line: str) -> None:
    try:
        typer.echo(line)
    except OSError as error:
        # It is shown once; applied again, the file would say that there is nothing to change.
        lost = "if tokens were made, nobody has seen their values: give them some in the file, and apply it again"
        raise CannotRun(f"What changes could not be told, {error.strerror}: {lost}.") from None


def _known(directory: Path | None) -> Settings:
    try:
        return settings_of(directory)
    except CannotRun:
        # Where no stack runs, they are what the environment says, and the defaults.
        return Settings()


def _print(changed: list[str]) -> None:
    typer.echo("\n".join(changed) or "nothing to change")
