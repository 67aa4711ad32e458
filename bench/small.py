"""Small requests beside a plain synchronous handler, in turns on one Postgres; and their rate by size."""

import asyncio
import time
from collections.abc import Sequence
from itertools import count, islice
from statistics import median

from bench import floor
from bench.account import PATH, TOKEN, data
from bench.client import Connection, connected
from bench.requests import starting
from bench.run import Measured, Run
from bench.serving import serving
from bench.targets import BEFORE, ratio

AT_ONCE = 64
_SIZES = (1, 10, 100)
_POPULATION = 100_000
_ALONE = 50
_SIDES = "Profuse", "plain handler"


class Small:
    """Requests of one size, of profiles that are new or known in the same proportion."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._next = count(1)
        # Seconds of each single request since the last look.
        self.latencies: list[float] = []

    async def rate(self, size: int, seconds: float, at_once: int = AT_ONCE) -> float:
        """Profiles answered in a second."""
        done, end = 0, time.perf_counter() + seconds
        self.latencies = []

        async def work(connection: Connection) -> None:
            nonlocal done
            while time.perf_counter() < end:
                await self.send(connection, size)
                done += size

        async with connected(self._url, at_once) as connections:
            began = time.perf_counter()
            await asyncio.gather(*map(work, connections))
            return done / (time.perf_counter() - began)

    async def alone(self, times: int) -> Sequence[float]:
        """Seconds of single requests, one after the other."""
        self.latencies = []
        async with connected(self._url, 1) as (connection,):
            for _ in range(times):
                await self.send(connection, 1)
        return self.latencies

    async def send(self, connection: Connection, size: int, token: str = TOKEN) -> None:
        body = starting((data(number % _POPULATION, number) for number in islice(self._next, size)), token)
        began = time.perf_counter()
        answer = await connection.post(body)
        self.latencies.append(time.perf_counter() - began)
        answer.ids(size)


async def singles(run: Run) -> Measured:
    """Beside the handler: 64 at a time, and one alone."""
    with serving("bench.peers.handler", run.stack.postgres) as plain:
        sides = Small(run.stack.api + PATH), Small(plain)
        rates: tuple[list[float], ...] = [], []
        lonely: tuple[list[float], ...] = [], []
        crowded: tuple[list[float], ...] = [], []
        # Round 0 warms up: plans, caches, connections.
        for take in range(run.rounds + 1):
            for at, side in enumerate(sides):
                rate = await side.rate(1, run.seconds)
                among = side.latencies
                taken = await side.alone(_ALONE)
                if take:
                    rates[at].append(rate)
                    crowded[at].extend(among)
                    lonely[at].extend(taken)
    figures = {"rate": ratio(*map(median, rates)), "alone": ratio(*(median(each) * 1000 for each in lonely))}
    hows = ("alone", lonely), (f"{AT_ONCE} at a time", crowded)
    latencies = {f"{name}, {how}": each for how, both in hows for name, each in zip(_SIDES, both, strict=True)}
    return Measured({"single": figures}, latencies=latencies)


async def sizes(run: Run) -> Measured:
    """By size, beside what requests of 10,000 gave before, on this machine as it is now."""
    small = Small(run.stack.api + PATH)
    rates: dict[int, list[float]] = {size: [] for size in _SIZES}
    bare: list[float] = []
    for take in range(run.rounds):
        rows = run.load.rows(f"sizes{take}", 0)
        async with run.pool.acquire() as connection:
            bare.append(len(rows) / await floor.store(connection, rows))
        for size in _SIZES:
            rates[size].append(await small.rate(size, run.seconds))
    return Measured({"sizes": {str(size): ratio(median(rates[size]), BEFORE * median(bare)) for size in _SIZES}})
