"""`python -m bench.small`: small requests beside a plain synchronous handler, in one run on one Postgres.

The client is the same on both sides, and takes its part of the machine on both.
"""

import asyncio
import json
import os
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from itertools import count, islice
from statistics import median
from typing import Annotated

import httpx
import msgspec
import typer
from rich.console import Console
from rich.table import Table

from bench.account import PATH, TOKEN, TRIGGER, data
from bench.stack import Stack, running
from profuse.stack.ports import free_port

_AT_ONCE = 64
_SIZES = (10, 100)
_POPULATION = 100_000

console = Console()


class Small:
    """Requests of one size, all of profiles that are new or known in the same proportion."""

    def __init__(self, url: str) -> None:
        self._url = url
        self._next = count(1)

    async def rate(self, size: int, seconds: float, at_once: int) -> float:
        """Profiles answered in a second."""
        done = 0
        async with httpx.AsyncClient(timeout=60, limits=httpx.Limits(max_connections=None)) as client:
            end = time.perf_counter() + seconds

            async def work() -> None:
                nonlocal done
                while time.perf_counter() < end:
                    await self._send(client, size)
                    done += size

            began = time.perf_counter()
            await asyncio.gather(*(work() for _ in range(at_once)))
            return done / (time.perf_counter() - began)

    async def alone(self, times: int) -> float:
        """Seconds that one single request takes, one after the other: the median."""
        taken = []
        async with httpx.AsyncClient(timeout=60) as client:
            for _ in range(times):
                began = time.perf_counter()
                await self._send(client, 1)
                taken.append(time.perf_counter() - began)
        return median(taken)

    async def _send(self, client: httpx.AsyncClient, size: int) -> None:
        items = [{"data": data(number % _POPULATION, number)} for number in islice(self._next, size)]
        body = {"token": TOKEN, "trigger_id": TRIGGER, "timeout": {"days": 1}, "data": items}
        answer = (await client.post(self._url, content=msgspec.json.encode(body))).json()
        # Another answer than an id for each would make the figure mean nothing.
        assert answer["error"] == 0, answer  # noqa: S101
        assert all("profile_id" in entry for entry in answer["result"]), answer  # noqa: S101


def main(
    seconds: Annotated[float, typer.Option(help="How long each figure is measured.")] = 10,
    rounds: Annotated[int, typer.Option(help="Rounds; the median counts.")] = 3,
) -> None:
    """Measure single requests here and at the plain handler in turn, then requests of 10 and 100."""
    console.print("Starting a stack for this run …")
    with running("--matchers", str(os.cpu_count())) as stack, _handler(stack) as plain:
        figures = asyncio.run(_measured(Small(stack.api + PATH), Small(plain), seconds, rounds))
    table = Table("figure", "ours", "plain handler", "ratio")
    for name, (ours, peer) in figures.items():
        table.add_row(name, f"{ours:,.4g}", "" if peer is None else f"{peer:,.4g}", "" if peer is None else f"{ours / peer:.2f}")
    console.print(table)
    print(json.dumps(figures))


async def _measured(ours: Small, plain: Small, seconds: float, rounds: int) -> dict[str, tuple[float, float | None]]:
    singles, alone = [], []
    # Round 0 warms up: plans, caches, connections.
    for take in range(rounds + 1):
        single = await plain.rate(1, seconds, _AT_ONCE), await ours.rate(1, seconds, _AT_ONCE)
        lonely = await plain.alone(50), await ours.alone(50)
        if take:
            singles.append(single)
            alone.append(lonely)
    figures: dict[str, tuple[float, float | None]] = {
        f"single requests/s, {_AT_ONCE} at a time": (median(ours for _, ours in singles), median(peer for peer, _ in singles)),
        "one alone, seconds": (median(ours for _, ours in alone), median(peer for peer, _ in alone)),
    }
    for size in _SIZES:
        figures[f"profiles/s in requests of {size}"] = await ours.rate(size, seconds, _AT_ONCE), None
    return figures


@contextmanager
def _handler(stack: Stack) -> Iterator[str]:
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "bench.peers.handler", stack.postgres, str(port)])
    try:
        _wait_for(f"http://127.0.0.1:{port}/")
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.terminate()
        process.wait()


def _wait_for(url: str) -> None:
    for _ in range(100):
        try:
            httpx.get(url)
        except httpx.TransportError:
            time.sleep(0.1)
        else:
            return
    raise TimeoutError(f"{url} does not answer")


if __name__ == "__main__":
    typer.run(main)
