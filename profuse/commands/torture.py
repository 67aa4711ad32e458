"""`torture`: break a stack while producers use it, and count what was lost."""

import asyncio
import json
import logging
import secrets
from pathlib import Path
from tempfile import mkdtemp
from typing import Annotated

import typer
from rich.console import Console

from profuse.commands.stack import interrupted

app = typer.Typer()


@app.command()
def torture(
    minutes: Annotated[float, typer.Option(min=0.1, help="How long faults are injected.")] = 10,
    seed: Annotated[
        int | None, typer.Option(help="Repeats the faults of the run that printed it; else a new one.", show_default=False)
    ] = None,
    as_json: Annotated[bool, typer.Option("--json", help="The outcome for programs.")] = False,
) -> None:
    """Kill, freeze, restart and cut off a stack of its own under load; exits with 1 if anything was lost, doubled or wrong.

    Example: profuse torture --minutes 10 --seed 7
    """
    from profuse.stack import directory as directories
    from profuse.stack import stopping
    from profuse.torture.ground import forget_the_environment
    from profuse.torture.report import Report, table, told
    from profuse.torture.running import torture as run
    from runtime.racing import first

    forget_the_environment()
    # Its clients are cut off on purpose all the time, and would say so over and over.
    logging.getLogger("aiokafka").setLevel(logging.CRITICAL)
    console, shown = Console(), Console(stderr=True, highlight=False)
    chosen = secrets.randbelow(1_000_000) if seed is None else seed
    shown.print(f"Seed {chosen}: `profuse torture --minutes {minutes:g} --seed {chosen}` repeats these faults")
    directory = Path(mkdtemp(prefix="profuse-torture-"))
    # Postgres does not run as root, and the user that it runs as must get in.
    directory.chmod(0o755)
    work = run(directory / "stack", chosen, minutes, lambda line: shown.print(line, markup=False, soft_wrap=True))
    try:
        report: Report | None = asyncio.run(first(work, interrupted()))
    finally:
        stopping.stop(directory / "stack")
    if report is None:
        shown.print(f"Interrupted; nothing was compared. Logs and data are kept in {directory}", soft_wrap=True)
        raise typer.Exit(130)
    if as_json:
        typer.echo(json.dumps(report.as_json()))
    else:
        console.print(table(report))
    for line in told(report.differences):
        shown.print(line, markup=False, soft_wrap=True)
    if report.is_clean:
        directories.wipe(directory / "stack")
        directory.rmdir()
    else:
        shown.print(f"Its logs and data are kept in {directory}", soft_wrap=True)
    raise typer.Exit(0 if report.is_clean else 1)
