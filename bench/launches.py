"""Launches that fall due together, one by one and in batches; what is measured is from there to the last mark, or to the last claim."""

from statistics import median

from bench.due import GROUP, Due
from bench.run import Measured, Run
from bench.targets import alone, ratio
from profuse.applying import apply
from profuse.torture.blocks import message, resource, trigger

SKIPPED = 3
_NOBODYS = 25
_SINGLES = 3_000
_BATCHES = 10
_BURST = 100_000
_BURST_OF_SINGLES = 10_000

# Nobody subscribes to its resource, so that nothing is sent.
_WAY = f"""
[[accounts]]
id = 1
name = "bench"
{resource(_NOBODYS, "Nobody's")}{trigger(SKIPPED, "Skipped", f"resource = {_NOBODYS}", message("bench", "Hello", "Hello"))}"""


async def fire(run: Run) -> Measured:
    """Singles beside groups of 2,000."""
    due = await skipping(run)
    turns = []
    # Round 0 warms up.
    for take in range(run.rounds + 1):
        turn = await due.rate(_SINGLES, 1), await due.rate(_BATCHES, GROUP)
        if take:
            turns.append(turn)
    return Measured({"fire": {"singles": ratio(*map(median, zip(*turns, strict=True)))}})


async def burst(run: Run) -> Measured:
    """More than can be launched in the second in which all of it is due."""
    due = await skipping(run)
    batches, singles = await due.claimed(_BURST // GROUP, GROUP), await due.claimed(_BURST_OF_SINGLES, 1)
    return Measured({"burst": {"batches": alone(batches), "singles": alone(singles)}})


async def skipping(run: Run) -> Due:
    """Of the trigger that sends nothing."""
    await apply(run.settings, _WAY)
    return Due(run.pool, SKIPPED)
