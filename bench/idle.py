"""A stack without traffic: what all processes but the broker take of one core."""

import asyncio
import time

from bench.cpu import BROKER, since, spent
from bench.run import Measured, Run
from bench.targets import alone

_SETTLING = 10.0
_WATCHED = 30.0


async def measured(run: Run) -> Measured:
    await asyncio.sleep(_SETTLING)
    before, began = spent(run.stack.directory), time.perf_counter()
    await asyncio.sleep(_WATCHED)
    taken, seconds = since(before, run.stack.directory), time.perf_counter() - began
    shares = {room: taken[room] / seconds * 100 for room in taken}
    busy = sum(share for room, share in shares.items() if room != BROKER)
    return Measured({"idle": {"cpu": alone(busy)}}, {"idle, % of a core": shares})
