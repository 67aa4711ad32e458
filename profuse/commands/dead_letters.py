"""Dead letters, from the operator's side."""

import asyncio
import json
from datetime import datetime, timedelta
from typing import Annotated

import typer

from profuse.commands.asking import agreed
from profuse.commands.options import Dir, moment
from profuse.commands.progress import told_how_far
from profuse.commands.tables import show as show_table
from profuse.stack.finding import settings_of
from runtime.errors import CannotRun

app = typer.Typer(help="See what could not be processed, send it again, or give it up.", no_args_is_help=True)

_LONGEST_WAIT = 24 * 60 * 60

Ids = Annotated[list[str] | None, typer.Argument(metavar="ID", help="As `list` shows them: topic/partition/offset.", show_default=False)]
Batch = Annotated[str | None, typer.Option(help="Only those of this batch (a task_id).", show_default=False)]
Reason = Annotated[str | None, typer.Option(help="Only those whose reason contains this.", show_default=False)]
ExactReason = Annotated[str | None, typer.Option(help="Only those of this reason, character by character.", show_default=False)]
Topic = Annotated[str | None, typer.Option(help="Only those of this topic: imports or matches.", show_default=False)]
Older = Annotated[str | None, typer.Option(help="Only those that died longer ago: 90s, 30m, 12h, 7d.", show_default=False)]
Newer = Annotated[str | None, typer.Option(help="Only those that died since: 90s, 30m, 12h, 7d.", show_default=False)]
Until = Annotated[datetime | None, moment("Only those that died until this moment")]
All = Annotated[bool, typer.Option("--all", help="All of them, where nothing else says which.")]
Json = Annotated[bool, typer.Option("--json", help="JSON instead of a table.")]


@app.command("list")
def list_(
    batch: Batch = None,
    reason: Reason = None,
    exact_reason: ExactReason = None,
    topic: Topic = None,
    older: Older = None,
    newer: Newer = None,
    until: Until = None,
    as_json: Json = False,
    limit: Annotated[int, typer.Option(min=1, help="At most so many.")] = 1_000,
    directory: Dir = None,
) -> None:
    """Show dead letters, the oldest first, and what became of those that were replayed.

    Example: profuse dead-letters list --reason unreadable --newer 1h
    """
    from profuse.dead_letters import find, shown, table, wanted

    settings = settings_of(directory)
    chosen = wanted(settings, (), batch, reason, topic, older, newer, exact_reason=exact_reason, until=until)
    letters = asyncio.run(find(settings, chosen, limit))
    if as_json:
        typer.echo(json.dumps([shown(settings, letter) for letter in letters]))
    else:
        show_table(*table(settings, letters))


@app.command()
def show(
    id_: Annotated[str, typer.Argument(metavar="ID", help="As `list` shows it: topic/partition/offset.")],
    as_json: Json = False,
    directory: Dir = None,
) -> None:
    """Show one dead letter whole: headers, key and payload as text, or else as hex.

    Example: profuse dead-letters show imports/3/17
    """
    from profuse.dead_letters import whole

    told = asyncio.run(whole(settings_of(directory), id_))
    if as_json:
        typer.echo(json.dumps(told, ensure_ascii=False))
    else:
        typer.echo("\n".join(f"{name}: {value if isinstance(value, str) else json.dumps(value)}" for name, value in told.items()))


@app.command("replay")
def replay_(
    ids: Ids = None,
    batch: Batch = None,
    reason: Reason = None,
    exact_reason: ExactReason = None,
    topic: Topic = None,
    older: Older = None,
    newer: Newer = None,
    until: Until = None,
    all_: All = False,
    wait: Annotated[float, typer.Option(min=0, max=_LONGEST_WAIT, help="How many seconds to wait for what becomes of them.")] = 10,
    as_json: Json = False,
    directory: Dir = None,
) -> None:
    """Send dead letters again, and say what became of each; safe to repeat.

    Those that were replayed before are left out, unless they are named.

    Example: profuse dead-letters replay --batch 0198c1f3a2b4c5d6e7f80912
    """
    from profuse.dead_letters import as_of_now, count, replay, shown, table, unreplayed, wanted

    settings = settings_of(directory)
    chosen = wanted(settings, ids or (), batch, reason, topic, older, newer, exact_reason=exact_reason, until=until, everything=all_)
    chosen = asyncio.run(as_of_now(settings, chosen))
    with told_how_far("replayed", asyncio.run(count(settings, unreplayed(chosen)))) as advance:
        letters = asyncio.run(replay(settings, chosen, timedelta(seconds=wait), advance))
    if as_json:
        typer.echo(json.dumps([shown(settings, letter) for letter in letters]))
    else:
        show_table(*table(settings, letters))


@app.command()
def drop(
    ids: Ids = None,
    batch: Batch = None,
    reason: Reason = None,
    exact_reason: ExactReason = None,
    topic: Topic = None,
    older: Older = None,
    newer: Newer = None,
    until: Until = None,
    all_: All = False,
    yes: Annotated[bool, typer.Option("--yes", help="Do not ask.")] = False,
    directory: Dir = None,
) -> None:
    """Delete dead letters for good; their items keep the answers they have, and get `Cannot be processed` where a replay broke off.

    Example: profuse dead-letters drop --older 30d --yes
    """
    from profuse.dead_letters import as_of_now, count, delete, wanted

    settings = settings_of(directory)
    chosen = wanted(settings, ids or (), batch, reason, topic, older, newer, exact_reason=exact_reason, until=until, everything=all_)
    # What dies, or comes of age, while the question stands was not counted.
    chosen = asyncio.run(as_of_now(settings, chosen))
    found = asyncio.run(count(settings, chosen))
    if found and not yes and not agreed(f"Drop {found} dead letters for good?"):
        raise CannotRun("Nothing was dropped.")
    with told_how_far("dropped", found) as advance:
        dropped = asyncio.run(delete(settings, chosen, advance))
    typer.echo(f"{dropped} dead letters are dropped")
