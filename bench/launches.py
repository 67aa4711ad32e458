"""`python -m bench.launches`: launches that are due, one by one and in batches; webhooks beside a bare loop of the same client.

The rows are written as launchers write them, and fall due together; what is measured is from there to the last mark.
"""

import asyncio
import json
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from statistics import median
from typing import Annotated

import aiohttp
import asyncpg
import typer
from rich.console import Console
from rich.table import Table

from bench.account import TRIGGER
from bench.stack import Stack, running
from profuse.applying import apply
from profuse.stack.finding import settings_of
from profuse.stack.ports import free_port

_GROUP = 2_000
_AT_ONCE = 16
_WEBHOOK = 2

_PROFILES = """
INSERT INTO profiles (id, database, data, subscriptions)
SELECT decode(lpad(to_hex(n), 24, '0'), 'hex'), (SELECT min(id) FROM databases), jsonb_build_object('email', n || '@bench.test'), '[]'
FROM generate_series(0, $1 - 1) AS n ON CONFLICT DO NOTHING
"""
# `$2` groups of `$3` launches, of batches of their own, that are due on no day.
_GROUPS = """
WITH added AS (
    INSERT INTO batches (id, account, database, trigger, total, matching, skip_triggers, skip_invalid_subscriptions, detect_geo,
        content, custom_data, rejects, accepting_until, due_at)
    SELECT decode('ffff' || lpad(to_hex($1 + at), 20, '0'), 'hex'), 1, database, id, $3, 'email', false, false, false,
        '{}', '{}', '{}', now(), now()
    FROM triggers, generate_series(0, $2 - 1) AS at WHERE number = $4
    RETURNING id, trigger
)
INSERT INTO launches (batch, trigger, attempt, first_item, account, due_at, run_at, chunk, items, profiles, done)
SELECT id, trigger, 0, 0, 1, 'infinity', 'infinity', 0, its.items, its.profiles, repeat('0', $3)::varbit
FROM added, (
    SELECT array_agg(n ORDER BY n) AS items, string_agg(decode(lpad(to_hex(n), 24, '0'), 'hex'), ''::bytea ORDER BY n) AS profiles
    FROM generate_series(0, $3 - 1) AS n
) AS its
"""
_FALL_DUE = "UPDATE launches SET due_at = now(), run_at = now() WHERE finished_at IS NULL"
_LEFT = "SELECT count(*) FROM launches WHERE finished_at IS NULL"

console = Console()


class Due:
    """Launches of one trigger that fall due at the same moment."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self._next = 0

    async def rate(self, trigger: int, groups: int, size: int) -> float:
        """Launches that were marked in a second."""
        await self._pool.execute(_PROFILES, size)
        await self._pool.execute(_GROUPS, self._next, groups, size, trigger)
        self._next += groups
        began = time.perf_counter()
        await self._pool.execute(_FALL_DUE)
        while await self._pool.fetchval(_LEFT):
            await asyncio.sleep(0.02)
        return groups * size / (time.perf_counter() - began)


def main(
    singles: Annotated[int, typer.Option(help="Launches one by one in a round.")] = 3_000,
    batches: Annotated[int, typer.Option(help="Groups of 2,000 launches in a round.")] = 10,
    rounds: Annotated[int, typer.Option(help="Rounds; the median counts.")] = 3,
) -> None:
    """Measure launches without a send, singles beside batches; and webhooks beside a bare loop."""
    console.print("Starting a stack for this run …")
    with running() as stack, _receiver() as url:
        figures = asyncio.run(_measured(stack, url, singles, batches, rounds))
    table = Table("figure", "ours", "beside", "ratio")
    for name, (ours, beside) in figures.items():
        table.add_row(name, f"{ours:,.0f}", f"{beside:,.0f}", f"{ours / beside:.2f}")
    console.print(table)
    print(json.dumps(figures))


async def _measured(stack: Stack, url: str, singles: int, batches: int, rounds: int) -> dict[str, tuple[float, float]]:
    settings = settings_of(stack.directory)
    await apply(settings, _WAY.format(url=url))
    async with asyncpg.create_pool(stack.postgres, server_settings={"search_path": settings.prefix}, min_size=1, max_size=2) as pool:
        due = Due(pool)
        alone: list[float] = []
        together: list[float] = []
        posted: list[float] = []
        bare: list[float] = []
        # Round 0 warms up.
        for take in range(rounds + 1):
            rates = (
                await due.rate(TRIGGER, singles, 1),
                await due.rate(TRIGGER, batches, _GROUP),
                await due.rate(_WEBHOOK, 1, _GROUP),
                await _bare(url, _GROUP),
            )
            if take:
                for figures, rate in zip((alone, together, posted, bare), rates, strict=True):
                    figures.append(rate)
    return {
        "launches/s one by one, beside batches of 2,000": (median(alone), median(together)),
        f"webhooks/s, beside a bare loop over {_AT_ONCE} connections": (median(posted), median(bare)),
    }


async def _bare(url: str, count: int) -> float:
    """Posts of the same size by the same client, and nothing else."""
    body, left = b"x" * 300, iter(range(count))
    async with aiohttp.ClientSession() as session:

        async def post() -> None:
            for _ in left:
                async with session.post(url, data=body) as answer:
                    await answer.read()

        began = time.perf_counter()
        await asyncio.gather(*(post() for _ in range(_AT_ONCE)))
        return count / (time.perf_counter() - began)


_WAY = """
[[accounts]]
id = 1
name = "bench"

[[accounts.providers]]
name = "receiver"
channel = "webhook"
url = "{url}"
secrets = ["whsec_AAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAAA="]
concurrency = 16

[[accounts.triggers]]
id = 2
name = "Webhook"
type = "api_call"
database = 1
channel = "webhook"
body = '{{"hello": "{{lead.email}}"}}'
"""


@contextmanager
def _receiver() -> Iterator[str]:
    port = free_port()
    process = subprocess.Popen([sys.executable, "-m", "bench.receiver", str(port)])
    try:
        yield f"http://127.0.0.1:{port}/"
    finally:
        process.terminate()
        process.wait()


if __name__ == "__main__":
    typer.run(main)
