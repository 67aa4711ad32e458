"""The command line: `profuse`, or `python -m profuse`."""

import errno
import os
import sys

import typer
from pydantic import ValidationError
from pydantic_settings.exceptions import SettingsError
from typer.exceptions import TyperException

from profuse.commands import (
    configuration,
    console_tokens,
    dead_letters,
    demo,
    hooks,
    importing,
    launches,
    positions,
    profiles,
    providers,
    rooms,
    stack,
    top,
    torture,
    triggers,
)
from profuse.misspelling import misspelled
from runtime.errors import CannotRun
from runtime.streams import unfailing
from schemas.settings import Settings

app = typer.Typer(
    help="Bulk profile imports that start a timed trigger campaign for every profile, exactly once.",
    no_args_is_help=True,
    add_completion=False,
    pretty_exceptions_enable=False,
)
for group in (stack, top, demo, configuration, importing, rooms, torture):
    app.add_typer(group.app)
app.add_typer(hooks.app, name="hooks")
app.add_typer(console_tokens.app, name="console-tokens")
app.add_typer(launches.app, name="launches")
app.add_typer(dead_letters.app, name="dead-letters")
app.add_typer(positions.app, name="positions")
app.add_typer(profiles.app, name="profiles")
app.add_typer(providers.app, name="providers")
app.add_typer(triggers.app, name="triggers")


_FULL = (errno.ENOSPC, errno.EDQUOT)


def main() -> None:
    """Exits with 0 on success, 2 on wrong usage, 1 on failure; a failure is one line that says what to do."""
    # Its lines are no reason to fail.
    sys.stderr = unfailing(sys.stderr)
    for line in misspelled(os.environ):
        typer.echo(f"profuse: {line}", err=True)
    try:
        sys.exit(_done())
    except TyperException as misuse:
        # A group without a command has shown its help already, and says nothing more.
        if reason := misuse.format_message():
            typer.echo(f"profuse: {reason} (`--help` shows how)", err=True)
        sys.exit(misuse.exit_code)
    except CannotRun as problem:
        sys.exit(f"profuse: {problem}")
    except ModuleNotFoundError as missing:
        sys.exit(f"profuse: {missing.name} is not installed: this command needs the extra `local` (`make setup` installs it).")
    except SettingsError as error:
        # Only its text names the setting.
        name = str(error).split('"')[1]
        sys.exit(f'profuse: PROFUSE_{name.upper()} must be a list in JSON, like ["one","two"].')
    except ValidationError as error:
        sys.exit(f"profuse: {_of_a_setting(error)}")


def _of_a_setting(error: ValidationError) -> str:
    """Raises it again where it is about something else."""
    if error.title != Settings.__name__:
        raise error
    first = error.errors(include_url=False)[0]
    example = " Write a duration like PT30S." if "delta" in first["type"] else ""
    # What is wrong with several of them names these itself.
    where = f"{str(first['loc'][0]).upper()}: " if first["loc"] else ""
    return f"PROFUSE_{where}{first['msg'].removeprefix('Value error, ')}.{example}"


def _done() -> int | str | None:
    """The status of the command."""
    try:
        status: int | str | None = app(standalone_mode=False)
    except OSError as error:
        if error.errno not in _FULL:
            raise
        raise CannotRun(f"{error.strerror}: make room; what was done until now is done, though not told.") from None
    return status


if __name__ == "__main__":
    main()
