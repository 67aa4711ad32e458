"""Pages answer quickly, however much waits: 200,000 groups of one launch each, or as many as PROFUSE_TEST_PENDING says."""

import os
import time
from collections.abc import AsyncIterator
from pathlib import Path

import asyncpg
import pytest

from profuse.console.access.rights import Rights
from profuse.console.reading import pending
from profuse.console.reading.counted import MOST
from runtime.postgres import open_pool
from schemas.settings import Settings
from tests.launching import World, new_world
from tests.visiting import Visitor, logged_in, visiting

PENDING = int(os.environ.get("PROFUSE_TEST_PENDING", "200000"))
WITHIN = 1.0
_BATCHES = 20

pytestmark = [pytest.mark.promise("P-CONSOLE-07"), pytest.mark.timeout(120 + PENDING / 2_000)]

# The worst shape that there is: each launch is a group of its own.
_FILL = """
INSERT INTO launches (account, batch, trigger, attempt, first_item, due_at, run_at, chunk, items, profiles, done)
SELECT 1, $1, $2, 0, n, due, due, n, ARRAY[n], '\\x070707070707070707070707', B'0'
FROM generate_series(1, $3::int) AS n, LATERAL (SELECT now() + interval '10 days' * (n::float8 / $3 + $4::float8) / $5 AS due) AS due
"""


@pytest.fixture
async def full(tables: Settings, pool: asyncpg.Pool) -> World:
    """One of ten triggers has them all."""
    world = await new_world(pool)
    for number in range(100, 109):
        await world.trigger_of(number)
    patient = await asyncpg.connect(**tables.postgres_options())
    await patient.execute("SET transaction_timeout = 0")
    for number in range(_BATCHES):
        batch = await world.batch(1)
        await patient.execute("INSERT INTO batch_progress (batch, total, done) VALUES ($1, 1, B'0')", batch)
        await patient.execute(_FILL, batch, world.trigger, PENDING // _BATCHES, float(number), float(_BATCHES), timeout=600)
    await patient.execute("VACUUM ANALYZE launches", timeout=600)
    await patient.close()
    return world


@pytest.fixture
async def visitor(full: World, tables: Settings, tmp_path: Path) -> AsyncIterator[Visitor]:
    async with visiting(tables, tmp_path) as stranger, logged_in(stranger, tables, Rights.OPERATE, "olga") as olga:
        yield olga


async def test_each_page_answers_within_a_second_and_says_what_is_an_estimate(visitor: Visitor, full: World, tables: Settings) -> None:
    """One test of three: to fill the table takes longer than all of them."""
    await pages_answer(visitor, full)
    await the_estimate_is_near_the_truth(tables)
    await no_statement_reads_a_whole_table(tables)
    await all_are_cancelled_by_one_action(visitor)


async def pages_answer(visitor: Visitor, full: World) -> None:
    batch = await full.pool.fetchval("SELECT encode(id, 'hex') FROM batches LIMIT 1")
    paths = [
        "/",
        "/batches",
        "/batches?account=2",
        f"/batches/{batch}",
        f"/batches/{batch}/items/0",
        "/pending",
        "/pending?account=1&trigger=8",
    ]
    paths += ["/dead-letters", "/triggers", "/triggers/1/8", "/ways", "/tokens", "/actions", "/do/cancel?account=1&trigger=8"]
    took: dict[str, float] = {}
    pages: dict[str, str] = {}
    for path in paths:
        began = time.monotonic()
        pages[path] = await visitor.see(path)
        took[path] = round(time.monotonic() - began, 3)
    print(f"\n{PENDING:,} pending:", took)

    # The first one waits for a first look at the processes.
    assert {path: seconds for path, seconds in took.items() if seconds > WITHIN} == {}
    assert "≈" in pages["/pending"]
    assert "10,001+" in pages["/"]
    assert "+ <small>launches wait" in pages["/do/cancel?account=1&trigger=8"]


async def the_estimate_is_near_the_truth(tables: Settings) -> None:
    async with await open_pool(tables) as pool, pool.acquire() as connection:
        buckets = await pending.histogram(connection)
    guessed = sum(bucket.weight for bucket in buckets)
    estimated = [bucket for bucket in buckets if not bucket.launches.is_all]

    assert estimated
    assert guessed == pytest.approx(PENDING, rel=0.2)


async def no_statement_reads_a_whole_table(tables: Settings) -> None:
    """The plans, as Postgres makes them for who may scan: each looks at an index, and stops."""
    edges = pending._edges()
    sinces, untils = [since for _, since, _ in edges], [until for _, _, until in edges]
    statements = [
        (pending._BUCKETS, (None, None, sinces, untils, MOST + 1)),
        (pending._NEXT, (None, None, 200)),
        (pending._TOTAL, (MOST + 1,)),
    ]
    async with await open_pool(tables) as pool, pool.acquire() as connection:
        plans = ["\n".join(row[0] for row in await connection.fetch(f"EXPLAIN {text}", *values)) for text, values in statements]

    for plan in plans:
        assert "Seq Scan on launches" not in plan, plan
        assert "launches_account_trigger_run_at_idx" in plan, plan


async def all_are_cancelled_by_one_action(visitor: Visitor) -> None:
    began = time.monotonic()
    said = await visitor.do("/do/cancel?account=1&trigger=8")
    print(f"cancelled in {time.monotonic() - began:.1f} s")

    assert f"{PENDING:,} launches are cancelled" in said
