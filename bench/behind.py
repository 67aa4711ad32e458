"""One single request after the other while ten of 10,000 profiles are under way, of the same token and of another one."""

import asyncio
from collections.abc import Sequence

from bench.account import OTHER_TOKEN, PATH, TOKEN
from bench.client import connected
from bench.requests import named, starting
from bench.run import Measured, Run
from bench.small import Small
from bench.targets import Figure

_LARGE = 10
_ALONE = 200


async def measured(run: Run) -> Measured:
    small = Small(run.stack.api + PATH)
    alone = _slowest(await small.alone(_ALONE))
    figures, latencies = {}, {}
    for name, token in (("same", TOKEN), ("other", OTHER_TOKEN)):
        small.latencies = []
        # Few of them fit behind one load.
        for take in range(run.rounds):
            await _behind(run, small, token, f"{name}-{take}")
        latencies[f"Profuse, behind ten of 10,000 profiles, {name} token"] = small.latencies
        behind = _slowest(small.latencies)
        figures[name] = Figure(round(behind - alone, 3), round(behind, 3), round(alone, 3))
    return Measured({"behind": figures}, latencies=latencies)


async def _behind(run: Run, small: Small, token: str, name: str) -> None:
    load = run.load.once(_LARGE)
    bodies = [starting(named(part)) for part in load.requests(load.rows(f"behind-{name}", 0))]
    url = run.stack.api + PATH
    async with connected(url, _LARGE) as large, connected(url, 1) as (single,):
        sent = [asyncio.ensure_future(connection.post(body)) for connection, body in zip(large, bodies, strict=True)]
        while not all(each.done() for each in sent):
            await small.send(single, 1, token)
        for each in sent:
            (await each).accepted()


def _slowest(latencies: Sequence[float]) -> float:
    """The 99th percentile."""
    return sorted(latencies)[int(len(latencies) * 0.99)]
