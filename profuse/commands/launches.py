"""Launches, from the operator's side."""

import asyncio
from datetime import datetime
from typing import Annotated, Any

import typer

from profuse.commands.options import Dir, moment
from profuse.commands.tables import show_rows
from profuse.stack.finding import settings_of
from runtime.errors import CannotRun
from schemas.ids import parse_id
from schemas.settings import Settings

app = typer.Typer(help="See launches, hasten them, take them back, and run failed ones again.", no_args_is_help=True)

_COLUMNS = ("batch", "trigger", "attempt", "due_at", "items", "launched", "skipped", "failed", "cancelled", "finished_at")


@app.command("list")
def list_(
    batch: Annotated[str | None, typer.Option(help="Only this batch (a task_id).", show_default=False)] = None,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON array instead of a table.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="At most so many groups.")] = 1_000,
    directory: Dir = None,
) -> None:
    """Show groups of launches, the pending ones first; times are UTC.

    Example: profuse launches list --batch 0198c1f3a2b4c5d6e7f80912 --json
    """
    rows = asyncio.run(_groups(settings_of(directory), None if batch is None else _id(batch), limit))
    show_rows(_COLUMNS, rows, as_json=as_json)


@app.command()
def now(batch: Annotated[str, typer.Argument(help="The batch's id (its task_id).")], directory: Dir = None) -> None:
    """Make a batch's pending launches due, those that are still being imported too.

    Example: profuse launches now 0198c1f3a2b4c5d6e7f80912
    """
    hastened = asyncio.run(_make_due(settings_of(directory), _id(batch)))
    if hastened is None:
        raise CannotRun(f"There is no batch {batch}: `profuse launches list` shows those that have launches.")
    typer.echo(f"{hastened} pending launches are due now")


@app.command()
def cancel(
    batch: Annotated[str | None, typer.Argument(help="A batch's id (its task_id).", show_default=False)] = None,
    account: Annotated[int | None, typer.Option(help="Whose trigger or profile it is.", show_default=False)] = None,
    trigger: Annotated[int | None, typer.Option(help="All launches of this trigger of the account.", show_default=False)] = None,
    profile: Annotated[str | None, typer.Option(help="All launches for this profile of the account.", show_default=False)] = None,
    directory: Dir = None,
) -> None:
    """Take back launches that are not begun: of a batch, of a trigger, or for a profile.

    Example: profuse launches cancel --account 1 --trigger 8
    """
    from profuse import cancelling

    cancelled = asyncio.run(cancelling.cancel(settings_of(directory), cancelling.named(account, batch, trigger, profile)))
    typer.echo(f"{cancelled.cancelled} launches are cancelled, {cancelled.not_yet_scheduled} items on their way will be")
    if cancelled.under_way:
        typer.echo(f"{cancelled.under_way} groups are being launched right now: what of them is not begun within seconds is cancelled, too")


OfBatch = Annotated[str | None, typer.Option(help="Only those of this batch (a task_id).", show_default=False)]
OfAccount = Annotated[int | None, typer.Option(help="Only those of this account.", show_default=False)]
OfTrigger = Annotated[int | None, typer.Option(help="Only those of triggers with this number.", show_default=False)]
Reason = Annotated[str | None, typer.Option(help="Only those whose reason contains this.", show_default=False)]
Until = Annotated[datetime | None, moment("Only those that failed before this moment")]


@app.command()
def failed(
    batch: OfBatch = None,
    account: OfAccount = None,
    trigger: OfTrigger = None,
    reason: Reason = None,
    until: Until = None,
    as_json: Annotated[bool, typer.Option("--json", help="A JSON array instead of a table.")] = False,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 1_000,
    directory: Dir = None,
) -> None:
    """Show launches that failed, and why; times are UTC.

    Example: profuse launches failed --trigger 8 --reason "HTTP 422"
    """
    from profuse import failures

    wanted = failures.wanted(batch, account, trigger, reason, until)
    rows = asyncio.run(failures.listed(settings_of(directory), wanted, limit))
    show_rows(failures.COLUMNS, rows, as_json=as_json)


@app.command()
def replay(
    batch: OfBatch = None,
    account: OfAccount = None,
    trigger: OfTrigger = None,
    reason: Reason = None,
    until: Until = None,
    everything: Annotated[bool, typer.Option("--all", help="All of them, where nothing else says which.")] = False,
    dry: Annotated[bool, typer.Option("--dry-run", help="Only count them.")] = False,
    directory: Dir = None,
) -> None:
    """Let failed launches run again, now, as new runs with all their attempts.

    Example: profuse launches replay --batch 0198c1f3a2b4c5d6e7f80912 --dry-run
    """
    from profuse import failures

    wanted = failures.wanted(batch, account, trigger, reason, until)
    if wanted == failures.ALL and not everything:
        raise CannotRun("Which of them? Give a filter, or say --all; `profuse launches failed` shows those that there are.")
    settings = settings_of(directory)
    if dry:
        typer.echo(f"{asyncio.run(failures.count(settings, wanted))} launches would run again")
    else:
        typer.echo(f"{asyncio.run(failures.replay(settings, wanted))} launches run again")


def _id(batch: str) -> bytes:
    found = parse_id(batch)
    if found is None:
        raise CannotRun(f"{batch} is no batch id, which is 24 hex digits: `profuse launches list` shows them.")
    return found


async def _groups(settings: Settings, batch: bytes | None, limit: int) -> list[dict[str, Any]]:
    from profuse import launches
    from profuse.postgres import transaction

    async with transaction(settings) as connection:
        return await launches.groups(connection, batch, limit)


async def _make_due(settings: Settings, batch: bytes) -> int | None:
    from profuse.postgres import plain_connection
    from store import launches

    async with plain_connection(settings) as connection:
        return await launches.make_due(connection, batch)
