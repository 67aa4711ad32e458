"""The whole pipeline beside a bare upsert of the same profiles, all new and then all changed, in turns; and 10,000 alone."""

import time
from collections import defaultdict
from collections.abc import Sequence
from statistics import median

from bench import cpu, floor, pipeline
from bench.account import PATH
from bench.profiles import Row
from bench.requests import named, starting
from bench.run import Measured, Run
from bench.targets import Figure, ratio
from schemas.ids import new_id

PHASES = ("new", "changed")
_A_SECOND = 1_000_000  # microseconds


async def measured(run: Run) -> Measured:
    turns: defaultdict[str, list[tuple[float, float]]] = defaultdict(list)
    taken: defaultdict[str, defaultdict[str, float]] = defaultdict(lambda: defaultdict(float))
    # Round 0 warms up: plans, caches, connections.
    for take in range(run.rounds + 1):
        load = run.load if take else run.load.once(1)
        # Nobody has these e-mails yet.
        name = new_id().hex()
        for version, phase in enumerate(PHASES):
            rows = load.rows(name, version)
            bare = await _bare(run, rows)
            before, own = cpu.spent(run.stack.directory), time.process_time()
            ours = await pipeline.store(run.stack.api, run.pool, load.requests(rows))
            if take:
                turns[phase].append((ours.answered, bare))
                for room, seconds in {**cpu.since(before, run.stack.directory), "client": time.process_time() - own}.items():
                    taken[phase][room] += seconds
    stored = run.load.profiles * run.rounds
    each = {
        f"all {phase}, µs of CPU a profile": {room: spent * _A_SECOND / stored for room, spent in taken[phase].items()} for phase in PHASES
    }
    return Measured({phase: {"ratio": _figure(run.load.profiles, turns[phase])} for phase in PHASES}, each)


async def alone(run: Run) -> Measured:
    """One request of 10,000 new profiles, and nothing beside it."""
    load = run.load.once(1)
    turns = []
    for take in range(run.rounds + 1):
        rows = load.rows(new_id().hex(), 0)
        bare, body = await _bare(run, rows), starting(named(rows))
        began = time.perf_counter()
        await pipeline.answered(run.stack.api + PATH, [body], len(rows))
        if take:
            turns.append((time.perf_counter() - began, bare))
    return Measured({"large": {"alone": ratio(median(ours for ours, _ in turns), median(bare for _, bare in turns))}})


async def _bare(run: Run, rows: Sequence[Row]) -> float:
    async with run.pool.acquire() as connection:
        return await floor.store(connection, rows)


def _figure(profiles: int, turns: Sequence[tuple[float, float]]) -> Figure:
    """The median of the ratios: each round has both sides, and the machine changes from one to the next."""
    rates = ratio(profiles / median(ours for ours, _ in turns), profiles / median(bare for _, bare in turns))
    return Figure(round(median(bare / ours for ours, bare in turns), 3), rates.ours, rates.beside)
