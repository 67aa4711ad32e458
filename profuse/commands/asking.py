"""Questions before what cannot be undone."""

import typer

from runtime.errors import CannotRun


def agreed(question: str, *, err: bool = False) -> bool:
    """Raises `CannotRun` where nobody answers, as in a script, or somebody leaves."""
    try:
        return typer.confirm(question, err=err)
    except typer.Abort:
        # The line of the question is still open.
        typer.echo(err=err)
        raise CannotRun("Nothing was changed, for nobody answered: --yes does not ask.") from None
