"""Webhooks of batches, by a launcher for each core, beside a bare loop of the same client, into the same receiver."""

import asyncio
import time
from statistics import median

import aiohttp

from bench.due import GROUP, Due
from bench.run import Measured, Run
from bench.serving import serving
from bench.stack import LAUNCHERS
from bench.targets import ratio
from profuse.applying import apply
from profuse.torture import blocks

_WEBHOOK = 2
# Of the loop; of all launchers together.
_AT_ONCE = 16
_GROUPS = 8

_SECRET = "whsec_" + "A" * 43 + "="


def _way(url: str, at_once: int) -> str:
    account = '[[accounts]]\nid = 1\nname = "bench"\n'
    return account + blocks.webhooks("receiver", url, _SECRET, f"concurrency = {at_once}", _WEBHOOK, "Webhook", '{"hello": "{lead.email}"}')


async def measured(run: Run) -> Measured:
    turns = []
    with serving("bench.receiver") as url, run.stack.launching(LAUNCHERS):
        await apply(run.settings, _way(url, _AT_ONCE // LAUNCHERS))
        due = Due(run.pool, _WEBHOOK)
        # Round 0 warms up.
        for take in range(run.rounds + 1):
            turn = await due.rate(_GROUPS, GROUP), await _bare(url, _GROUPS * GROUP)
            if take:
                turns.append(turn)
    return Measured({"webhook": {"batches": ratio(*map(median, zip(*turns, strict=True)))}})


async def _bare(url: str, count: int) -> float:
    """Posts of the same size, and nothing else."""
    body, left = b"x" * 300, iter(range(count))
    async with aiohttp.ClientSession() as session:

        async def post() -> None:
            for _ in left:
                async with session.post(url, data=body) as answer:
                    await answer.read()

        began = time.perf_counter()
        await asyncio.gather(*(post() for _ in range(_AT_ONCE)))
        return count / (time.perf_counter() - began)
