"""The whole pipeline beside what others would build on the same broker and database, in turns: all profiles are new."""

import os
from statistics import median

from bench import pipeline
from bench.peers.feeding import fed
from bench.peers.programs import by_core, by_orm
from bench.records import objects
from bench.run import Measured, Run
from bench.targets import ratio

# As many as an ORM stores in some seconds.
_FEW = 1_000


async def measured(run: Run) -> Measured:
    # As many processes as there are matchers.
    processes = os.cpu_count() or 1
    rounds = []
    async with fed(run, by_orm(run, processes)) as orm, fed(run, by_core(run, processes)) as core:
        # Round 0 warms up.
        for take in range(run.rounds + 1):
            load = run.load.once(pipeline.AT_ONCE if take else 1)
            rows = load.rows(f"others{take}", 0)
            records = objects(rows)
            few = records[: _FEW if take else _FEW // 5]
            rates = (
                load.profiles / (await pipeline.store(run.stack.api, run.pool, load.requests(rows))).answered,
                len(few) / await orm.seconds(few),
                load.profiles / await core.seconds(records),
            )
            if take:
                rounds.append(rates)
    ours, slow, fast = map(median, zip(*rounds, strict=True))
    return Measured({"peers": {"orm": ratio(ours, slow), "core": ratio(ours, fast)}})
