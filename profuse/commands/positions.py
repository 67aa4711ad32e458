"""Where workers go on in each partition, from the operator's side."""

import asyncio
from collections.abc import Sequence
from typing import TYPE_CHECKING, Annotated

import typer

from profuse.commands.asking import agreed
from profuse.commands.options import Dir
from profuse.commands.tables import show_rows
from profuse.stack.finding import settings_of
from runtime.errors import CannotRun
from schemas.settings import Settings

if TYPE_CHECKING:
    from profuse.positions.planning import Move

app = typer.Typer(help="See where workers go on in each partition, and move that.", no_args_is_help=True)

_COLUMNS = ("topic", "partition", "position", "first", "end", "waiting", "state", "workers")
_MOVES = ("topic", "partition", "position", "to", "skipped", "again", "meaning")

Topic = Annotated[str, typer.Argument(help="imports or matches.")]
Yes = Annotated[bool, typer.Option("--yes", help="Do not ask.")]
Dry = Annotated[bool, typer.Option("--dry-run", help="Only show what would be done.")]
Json = Annotated[bool, typer.Option("--json", help="A JSON array instead of a table.")]


@app.command("list")
def list_(
    topic: Annotated[str | None, typer.Option(help="Only this one: imports or matches.", show_default=False)] = None,
    as_json: Json = False,
    directory: Dir = None,
) -> None:
    """Show each partition: the next offset to process, what the topic holds, whether it is still the same topic, and who reads it.

    Example: profuse positions list --topic imports --json
    """
    from profuse.positions import looking
    from profuse.positions.standing import MEANINGS, RELIABLE, shown

    settings = settings_of(directory)
    found = [each for name in looking.topics(topic) for each in asyncio.run(looking.look(settings, name))]
    show_rows(_COLUMNS, [shown(each) for each in found], as_json=as_json)
    for state in dict.fromkeys(each.state for each in found if each.state not in RELIABLE and not as_json):
        typer.echo(f"{state}: {MEANINGS[state]}")


@app.command("set")
def set_(
    topic: Topic,
    where: Annotated[str, typer.Argument(help="start (the first record that is there), end (behind the last one), or an offset.")],
    partition: Annotated[list[int] | None, typer.Option(min=0, help="Only this one; may be repeated.", show_default=False)] = None,
    yes: Yes = False,
    dry_run: Dry = False,
    as_json: Json = False,
    directory: Dir = None,
) -> None:
    """Say where workers go on, after a topic was made anew or lost records: shows what that means, asks, and moves all or nothing.

    The topic's workers must be stopped. Nothing counts twice, wherever a position is set to.

    Example: profuse positions set imports start --dry-run
    """
    from profuse.positions import looking, planning

    settings, (name,) = settings_of(directory), looking.topics(topic)
    moves = planning.moves(asyncio.run(looking.placeable(settings, name)), where, partition or ())
    _move(settings, name, moves, yes=yes, dry_run=dry_run, as_json=as_json)


@app.command()
def add(topic: Topic, yes: Yes = False, dry_run: Dry = False, as_json: Json = False, directory: Dir = None) -> None:
    """Give positions to partitions that were added to a topic, at their first record; the others stay.

    Keys move to other partitions: stop the gateways, too, and start them when the workers have nothing left to do.

    Example: profuse positions add imports
    """
    from profuse.positions import looking, planning

    settings, (name,) = settings_of(directory), looking.topics(topic)
    moves = planning.additions(asyncio.run(looking.placeable(settings, name)))
    _move(settings, name, moves, yes=yes, dry_run=dry_run, as_json=as_json)


@app.command()
def restored(yes: Yes = False, dry_run: Dry = False, directory: Dir = None) -> None:
    """Go on with a database that was restored from a dump older than the topics; before any worker is started.

    Matchers do again what came after the dump; what was announced after it is left out, and what the dump knows announced once more.

    Example: profuse positions restored --dry-run
    """
    from profuse.positions import restoring

    settings = settings_of(directory)
    foreseen = asyncio.run(restoring.foresee(settings))
    typer.echo(
        f"imports: {foreseen.items} items are matched from the dump's positions on; "
        f"{foreseen.unknown} of them are of batches that the dump does not know, and become dead letters"
    )
    typer.echo(
        f"matches: {foreseen.kept} messages of the dump are published once more; "
        f"{foreseen.dropped} of the time after it are left out, what they announced is announced anew"
    )
    typer.echo("Launches that left after the dump leave again, under the same ids.")
    if _agreed("Go on?", yes=yes, dry_run=dry_run):
        asyncio.run(restoring.go_on(settings, foreseen))
        typer.echo("Start the workers.")


def _move(settings: Settings, topic: str, moves: Sequence["Move"], *, yes: bool, dry_run: bool, as_json: bool) -> None:
    from profuse.positions import looking, moving

    show_rows(_MOVES, [_shown(each) for each in moves], as_json=as_json)
    if not moves:
        raise CannotRun(f"There is nothing to move: `profuse positions list --topic {topic}` shows how {topic} stands.")
    if not dry_run:
        asyncio.run(looking.refuse_workers(settings, topic))
    if _agreed(f"Move {len(moves)} positions of {topic}?", yes=yes, dry_run=dry_run, quiet=as_json):
        asyncio.run(moving.move(settings, topic, moves))
        typer.echo(f"{len(moves)} positions of {topic} are moved", err=as_json)


def _agreed(question: str, *, yes: bool, dry_run: bool, quiet: bool = False) -> bool:
    if dry_run:
        typer.echo("nothing was changed: this was a dry run", err=quiet)
        return False
    if not yes and not agreed(question, err=quiet):
        raise CannotRun("Nothing was changed.")
    return True


def _shown(move: "Move") -> dict[str, object]:
    row = move.standing.row
    return {
        "topic": move.standing.topic,
        "partition": move.standing.partition,
        "position": row and row.position,
        "to": move.to,
        "skipped": move.skipped,
        "again": move.again,
        "meaning": move.meaning,
    }
