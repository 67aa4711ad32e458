"""What each part of the way costs: the floor, the same through a broker, matched, answered, and launched; new profiles, in turns."""

import asyncio
import time
from collections.abc import Sequence
from statistics import median

from bench import floor, pipeline
from bench.account import IMPORT_PATH
from bench.client import Answer
from bench.peers.feeding import fed
from bench.peers.programs import by_consumer
from bench.profiles import Row
from bench.records import arrays
from bench.requests import importing, named
from bench.run import Measured, Run
from bench.targets import ratio
from schemas.ids import new_id

_LOOK = 0.02
_STEPS = ("kafka", "match", "answer", "launch")

_MATCHED = "SELECT coalesce(sum(imported), 0) FROM batch_progress WHERE batch > $1 AND batch < '\\xff'"


async def measured(run: Run) -> Measured:
    rounds = []
    async with fed(run, by_consumer(run)) as feed:
        # Round 0 warms up.
        for take in range(run.rounds + 1):
            load = run.load.once(pipeline.AT_ONCE if take else 1)
            kinds = [load.rows(f"ladder{take}-{kind}", 0) for kind in range(len(_STEPS) + 1)]
            async with run.pool.acquire() as connection:
                upsert = await floor.store(connection, kinds[0])
            taken = (
                upsert,
                await feed.seconds(arrays(kinds[1])),
                await _matched(run, load.requests(kinds[2])),
                await _answered(run, load.requests(kinds[3])),
                (await pipeline.store(run.stack.api, run.pool, load.requests(kinds[4]))).scheduled,
            )
            if take:
                rounds.append([load.profiles / seconds for seconds in taken])
    bare, *rates = [median(each) for each in zip(*rounds, strict=True)]
    return Measured({"ladder": {step: ratio(rate, bare) for step, rate in zip(_STEPS, rates, strict=True)}})


async def _matched(run: Run, requests: Sequence[Sequence[Row]]) -> float:
    """Nobody waits for an answer; from the first request until the last profile is committed."""
    bodies, before = [importing(named(rows)) for rows in requests], new_id()
    began = time.perf_counter()
    await pipeline.posted(f"{run.stack.api}{IMPORT_PATH}_task", bodies, Answer.accepted)
    while await run.pool.fetchval(_MATCHED, before) < sum(map(len, requests)):
        await asyncio.sleep(_LOOK)
    return time.perf_counter() - began


async def _answered(run: Run, requests: Sequence[Sequence[Row]]) -> float:
    bodies = [importing(named(rows)) for rows in requests]
    began = time.perf_counter()
    await pipeline.answered(run.stack.api + IMPORT_PATH, bodies, run.load.per_request)
    return time.perf_counter() - began
