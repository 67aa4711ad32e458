"""What an operator sees of launches, and can do to them, on a real Postgres."""

import asyncio
from pathlib import Path
from typing import Any

import asyncpg
import pytest
from sqlalchemy import Select, text
from sqlalchemy.dialects import postgresql

from profuse.applying import apply
from profuse.launches import _due_next, _newest, groups
from profuse.postgres import plain_connection, transaction
from schemas.ids import new_id
from schemas.settings import Settings
from store.launches import make_due

DEMO = (Path(__file__).parents[2] / "examples" / "demo.toml").read_text()

_BATCH = """
INSERT INTO batches (id, account, database, trigger, total, matching, skip_triggers, skip_invalid_subscriptions, detect_geo,
                     content, custom_data, rejects, accepting_until, due_at)
SELECT $1, account, database, id, 5, 'email', false, false, false, '{}', '{}', '{}', now(), now() + interval '1 hour'
FROM triggers WHERE number = 8
"""
_GROUP = """
INSERT INTO launches (account, batch, trigger, attempt, first_item, due_at, run_at, chunk, items, profiles, done, launched, finished_at)
SELECT account, $1, id, 0, $2, now() + $3, now() + $3, $2, ARRAY[$2, $2 + 1], '\\x', B'00', $4, CASE WHEN $4 > 0 THEN now() END
FROM triggers WHERE number = 8
"""


def _literal(statement: Select[Any]) -> str:
    return str(statement.compile(dialect=postgresql.dialect(), compile_kwargs={"literal_binds": True}))  # type: ignore[no-untyped-call]


@pytest.fixture
async def batch(tables: Settings, pool: asyncpg.Pool) -> bytes:
    """A batch of five: two launched, two pending, one still on its way."""
    await apply(tables, DEMO)
    batch = new_id()
    await pool.execute(_BATCH, batch)
    await group(pool, batch, first_item=0, hours=-1, launched=2)
    await group(pool, batch, first_item=2, hours=1, launched=0)
    return batch


@pytest.mark.promise("P-DOOR-15")
async def test_groups_are_listed_with_their_batch_and_number_the_pending_ones_first(tables: Settings, batch: bytes) -> None:
    async with transaction(tables) as connection:
        rows = await groups(connection, None, limit=10)

    assert [(row["batch"], row["trigger"], row["items"], row["launched"], row["finished_at"] is None) for row in rows] == [
        (batch.hex(), 8, 2, 0, True),
        (batch.hex(), 8, 2, 2, False),
    ]


@pytest.mark.promise("P-DOOR-15")
async def test_a_list_of_all_batches_shows_what_is_due_next_and_sorts_no_more_than_it_shows(
    tables: Settings, pool: asyncpg.Pool, batch: bytes
) -> None:
    for first in range(10, 300, 2):
        await group(pool, batch, first_item=first, hours=first, launched=0)
    async with transaction(tables) as connection:
        rows = await groups(connection, None, limit=3)
        for scan in ("seqscan", "bitmapscan", "sort"):
            await connection.execute(text(f"SET LOCAL enable_{scan} = off"))
        plans = [
            "\n".join(str(row[0]) for row in await connection.execute(text(f"EXPLAIN {_literal(source)}")))
            for source in (_due_next(3).select(), _newest(3))
        ]

    assert [row["due_at"] for row in rows] == sorted(row["due_at"] for row in rows)
    assert [row["finished_at"] for row in rows] == [None] * 3
    assert "launches_account_trigger_run_at_idx" in plans[0]
    assert "Index Scan Backward using launches_pkey" in plans[1]


@pytest.mark.promise("P-DOOR-15")
async def test_now_makes_pending_launches_due_and_those_still_on_their_way(tables: Settings, pool: asyncpg.Pool, batch: bytes) -> None:
    before = await pool.fetchrow("SELECT * FROM launches WHERE first_item = 0")

    assert await _make_due(tables, batch) == 2
    assert await pool.fetchval("SELECT due_at <= now() AND run_at <= now() FROM launches WHERE first_item = 2")
    assert await pool.fetchval("SELECT due_at <= now() FROM batches")
    assert await pool.fetchrow("SELECT * FROM launches WHERE first_item = 0") == before


async def test_now_leaves_a_claimed_group_with_its_launcher(tables: Settings, pool: asyncpg.Pool, batch: bytes) -> None:
    # Its lease is in `run_at`: made due, another launcher would send the same mails.
    await pool.execute("UPDATE launches SET due_at = now(), run_at = now() + interval '30 seconds' WHERE first_item = 2")

    assert await _make_due(tables, batch) == 0
    assert await pool.fetchval("SELECT run_at > now() FROM launches WHERE first_item = 2")


async def test_now_waits_for_a_group_that_is_being_scheduled(tables: Settings, pool: asyncpg.Pool, batch: bytes) -> None:
    async with pool.acquire() as launcher:
        scheduling = launcher.transaction()
        await scheduling.start()
        # As a launcher schedules: the batch's row is locked before its due time is used.
        await launcher.execute("SELECT FROM batches WHERE id = $1 FOR KEY SHARE", batch)
        async with asyncio.TaskGroup() as tasks:
            hastening = tasks.create_task(_make_due(tables, batch))
            await until_somebody_waits(pool)
            await group(launcher, batch, first_item=4, hours=1, launched=0)
            await scheduling.commit()

    assert hastening.result() == 4


async def test_there_is_nothing_to_hasten_for_an_unknown_batch(tables: Settings) -> None:
    assert await _make_due(tables, new_id()) is None


async def _make_due(settings: Settings, batch: bytes) -> int | None:
    async with plain_connection(settings) as connection:
        return await make_due(connection, batch)


async def group(connection: asyncpg.Pool | asyncpg.Connection, batch: bytes, *, first_item: int, hours: int, launched: int) -> None:
    await connection.execute(_GROUP.replace("$3", f"interval '{hours} hours'").replace("$4", str(launched)), batch, first_item)


async def until_somebody_waits(pool: asyncpg.Pool) -> None:
    async with asyncio.timeout(10):
        while not await pool.fetchval("SELECT count(*) FROM pg_stat_activity WHERE wait_event_type = 'Lock'"):
            await asyncio.sleep(0.01)
