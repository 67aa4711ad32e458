"""`make bench`: the pipeline, end by end, beside what it is compared with, in one run; the last line is JSON."""

import asyncio
import os
from pathlib import Path
from typing import Annotated

import asyncpg
import typer

from bench import plots, report
from bench.lines import Line, measure, named
from bench.mails import sinking
from bench.profiles import Load
from bench.run import Found, Run
from bench.stack import Stack, running
from profuse.stack.finding import settings_of

console = report.console()


def main(
    profiles: Annotated[int, typer.Option(help="Profiles stored in each phase of each round.")] = 100_000,
    per_request: Annotated[int, typer.Option(help="Profiles in one large request.")] = 10_000,
    rounds: Annotated[int, typer.Option(help="Rounds; the median counts.")] = 3,
    seconds: Annotated[float, typer.Option(help="How long each rate of small requests is measured.")] = 4,
    only: Annotated[list[str] | None, typer.Option(help="A line by its key in the JSON; left out: all.", show_default=False)] = None,
    pictures: Annotated[Path | None, typer.Option(help="A directory for plots.", show_default=False)] = None,
) -> None:
    """Measure each line of the table, and say how far it is from its target."""
    try:
        lines = named(only or ())
    except ValueError as error:
        raise typer.BadParameter(str(error)) from None
    console.print("Starting a stack for this run …")
    with sinking() as mail, running("--matchers", str(os.cpu_count()), settings=mail) as stack:
        found = asyncio.run(_measured(stack, Load(profiles, per_request), rounds, seconds, lines))
    for table in report.tables(found):
        console.print(table)
    if pictures is not None:
        plots.draw(found, pictures)
    print(report.as_json(found))


async def _measured(stack: Stack, load: Load, rounds: int, seconds: float, lines: list[Line]) -> Found:
    settings = settings_of(stack.directory)
    async with asyncpg.create_pool(stack.postgres, server_settings={"search_path": settings.prefix}, min_size=1, max_size=2) as pool:
        return await measure(Run(stack, settings, pool, load, rounds, seconds), lines, lambda line: console.print(f"Measuring {line} …"))


if __name__ == "__main__":
    typer.run(main)
