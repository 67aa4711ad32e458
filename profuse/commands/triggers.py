"""Triggers, from the operator's side."""

import asyncio
import json
from typing import Annotated, Any

import typer

from profuse.commands.options import Dir
from profuse.stack.finding import settings_of
from runtime.errors import CannotRun

app = typer.Typer(help="See what triggers would send.", no_args_is_help=True)


@app.command()
def render(
    trigger: Annotated[int, typer.Argument(help="The trigger's number.")],
    profile: Annotated[str, typer.Option(help="The profile's id.")],
    account: Annotated[int, typer.Option(help="Whose they are.")] = 1,
    content: Annotated[str, typer.Option(help="`content` of a request, as JSON.")] = "{}",
    both: Annotated[bool, typer.Option("--both", help="Also what either branch of each condition makes.")] = False,
    directory: Dir = None,
) -> None:
    """Show exactly what a profile would get, made by the sender's own code; nothing is sent, and its link unsubscribes nobody.

    Example: profuse triggers render 8 --profile 019f3c1b2a4d5e6f70819203 --content '{"page": "form"}'
    """
    from profuse import rendering

    given = _content(content)
    typer.echo(asyncio.run(rendering.render(settings_of(directory), account, trigger, profile, given, both=both)))


@app.callback()
def _group() -> None:
    """One command is still a group."""


def _content(written: str) -> dict[str, Any]:
    try:
        content = json.loads(written)
    except (ValueError, RecursionError) as error:
        raise CannotRun(f"--content is no JSON: {error}.") from None
    if not isinstance(content, dict):
        raise CannotRun("--content must be a JSON object.")
    return content
