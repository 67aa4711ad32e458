"""What is not over is left alone until something about it can have changed, so that millions of it cost a sweep nothing."""

import asyncio
from collections.abc import Sequence
from datetime import timedelta

import asyncpg
import pytest
from structlog.testing import capture_logs

from schemas import metrics
from schemas.settings import Settings
from tests.launching import World
from tests.retaining import FAILURE, LETTER, finished, left, request, sweep, until, world_of
from workers.retention import Retention, batches, job

_AFTER = "SELECT extract(epoch FROM look_at - now()) / 3600 FROM batches"


@pytest.fixture
async def world(tables: Settings, pool: asyncpg.Pool) -> World:
    return await world_of(pool)


@pytest.mark.promise("P-OPS-40")
@pytest.mark.parametrize(
    ("why", "changes", "hours"),
    [
        ("it is young", ["UPDATE batches SET accepted_at = now() - interval '4 hours'"], 20),
        ("a launch failed an hour ago", ["UPDATE failures SET failed_at = now() - interval '1 hour'"], 167),
        (
            "it is not due, and no launcher has heard of it",
            ["UPDATE batches SET due_at = now() + interval '50 hours'", "DELETE FROM launches"],
            25 / 16,
        ),
        ("a dead letter was replayed an hour ago", ["UPDATE dead_letters SET replayed_at = now() - interval '1 hour'"], 23),
        ("a launch waits for a year", ["UPDATE launches SET finished_at = NULL, run_at = now() + interval '8760 hours'"], 8760),
        ("its Request-ID may be repeated", ["UPDATE requests SET expires_at = now() + interval '7 hours'"], 7),
        ("a launch is overdue", ["UPDATE launches SET finished_at = NULL"], 25 / 16),
        ("an item is not answered", ["UPDATE batch_progress SET failed = 0"], 25 / 16),
        (
            "nobody answered for years",
            ["UPDATE batch_progress SET failed = 0", "UPDATE batches SET accepted_at = now() - interval '2 years'"],
            6,
        ),
    ],
)
async def test_a_batch_is_looked_at_again_when_it_can_be_over(
    tables: Settings, world: World, why: str, changes: Sequence[str], hours: float
) -> None:
    batch = await finished(world)
    await request(world, batch, "mine", timedelta(seconds=60) if "Request-ID" in why else timedelta(seconds=-1))
    if "failed" in why:
        await world.pool.execute(FAILURE, batch, 1, timedelta())
    if "letter" in why:
        await world.pool.execute(LETTER, batch, 1, None)
    for change in changes:
        await world.pool.execute(change)
    await sweep(world, tables)

    assert float(await world.pool.fetchval(_AFTER)) == pytest.approx(hours, abs=0.05)


@pytest.mark.promise("P-OPS-40")
async def test_what_is_put_off_is_not_looked_at(tables: Settings, world: World) -> None:
    batch = await finished(world)
    await world.pool.execute("UPDATE batches SET look_at = now() + interval '1 hour'")
    await Retention(tables, world.pool).sweep()

    assert await left(world) == [batch]


@pytest.mark.promise("P-OPS-40")
async def test_the_index_gives_what_is_to_be_looked_at_and_nothing_else(tables: Settings, world: World) -> None:
    async with world.pool.acquire() as connection, connection.transaction():
        await connection.execute(f"SET enable_seqscan = off; {job.IN_ORDER}")
        now = await connection.fetchval("SELECT now()")
        plan = "\n".join(row[0] for row in await connection.fetch(f"EXPLAIN {batches._LOOK}", now, 200))

    assert "Index Scan using batches_look_at_idx" in plan
    assert "Filter" not in plan
    assert "Sort" not in plan


@pytest.mark.promise("P-OPS-40")
async def test_a_sweep_that_runs_out_of_time_is_gone_on_with(tables: Settings, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batches, "PAGE", 1)
    for each in range(4):
        await finished(world, hours=30 - each)
    hurried = Retention(tables.model_copy(update={"retention_every": timedelta()}), world.pool)
    counts = []
    while await left(world):
        await hurried.sweep()
        counts.append(len(await left(world)))

    assert counts == [3, 2, 1, 0]


@pytest.mark.promise("P-OPS-13")
async def test_a_launcher_that_stops_waits_for_no_sweep(tables: Settings, world: World) -> None:
    await finished(world)
    stop = asyncio.Event()
    retention = Retention(tables.model_copy(update={"retention_every": timedelta(milliseconds=10)}), world.pool)
    async with world.pool.acquire() as other, other.transaction(), asyncio.TaskGroup() as tasks:
        await other.execute("LOCK TABLE launches")
        running = tasks.create_task(retention.run(stop))
        await until(world.pool, "count(*) > 0 FROM pg_locks WHERE NOT granted AND relation = 'launches'::regclass")
        stop.set()
        # Sooner than the lock would be given up.
        async with asyncio.timeout(3):
            await running


@pytest.mark.promise("P-OPS-41")
async def test_sweeps_that_do_not_get_through_raise_an_alarm(tables: Settings, world: World) -> None:
    await world.pool.execute("ALTER TABLE requests RENAME TO mislaid")
    retention, levels, problems = Retention(tables, world.pool), [], []
    for _ in range(job.BEHIND_AFTER):
        with capture_logs() as logs:
            await retention.sweep()
        levels += [entry["log_level"] for entry in logs if entry["event"] == "sweep_interrupted" and entry["step"] == "requests"]
        problems.append(bool(retention.problems()))
    alarmed = metrics.SWEEPS_BEHIND._value.get()
    await world.pool.execute("ALTER TABLE mislaid RENAME TO requests")
    await retention.sweep()

    assert (levels, problems, alarmed) == (["warning", "warning", "error"], [False, False, True], 3)
    assert (retention.problems(), metrics.SWEEPS_BEHIND._value.get()) == ([], 0)


@pytest.mark.promise("P-OPS-41")
async def test_a_step_that_fails_keeps_no_other_from_its_work(tables: Settings, world: World) -> None:
    await finished(world)
    await world.pool.execute("INSERT INTO progress (topic, partition, position) VALUES ($1, 0, 7)", tables.topic("imports"))
    await sweep(world, tables.model_copy(update={"kafka": "127.0.0.1:1"}))

    assert await left(world) == []


@pytest.mark.promise("P-OPS-42")
async def test_dead_letters_expire(tables: Settings, world: World) -> None:
    for offset in range(3):
        await world.pool.execute(LETTER, None, offset, None)
    await world.pool.execute("""UPDATE dead_letters SET created_at = now() - interval '1 day' * (29 + "offset")""")
    before = metrics.DEAD_LETTERS_DROPPED.labels("expired")._value.get()
    await sweep(world, tables)

    assert [row[0] for row in await world.pool.fetch('SELECT "offset" FROM dead_letters')] == [0]
    assert metrics.DEAD_LETTERS_DROPPED.labels("expired")._value.get() == before + 2


@pytest.mark.promise("P-OPS-42")
async def test_of_an_account_with_too_many_dead_letters_the_oldest_go(tables: Settings, world: World) -> None:
    for offset in range(10):
        await world.pool.execute(LETTER, None, offset, None)
    # Five of account 1, four of account 2, and one of nobody.
    await world.pool.execute("""
        UPDATE dead_letters SET created_at = now() - interval '1 hour' * "offset",
            account = CASE WHEN "offset" < 5 THEN 1 WHEN "offset" < 9 THEN 2 ELSE 0 END
    """)
    await sweep(world, tables.model_copy(update={"dead_letters_limit": 3}))
    kept = await world.pool.fetch('SELECT account, array_agg("offset" ORDER BY "offset") FROM dead_letters GROUP BY 1 ORDER BY 1')

    assert [tuple(row) for row in kept] == [(0, [9]), (1, [0, 1, 2]), (2, [5, 6, 7])]
    assert [metrics.DEAD_LETTERS_KEPT.labels(account)._value.get() for account in (0, 1, 2)] == [1, 3, 3]


@pytest.mark.promise("P-OPS-42", "P-WATCH-02")
async def test_letters_that_were_replayed_count_no_more(tables: Settings, world: World) -> None:
    for offset in range(5):
        await world.pool.execute(LETTER, None, offset, None)
    await world.pool.execute("""UPDATE dead_letters SET account = 1, replayed_at = CASE WHEN "offset" < 4 THEN now() END""")
    await sweep(world, tables)
    some = metrics.DEAD_LETTERS_KEPT.labels(1)._value.get()
    await world.pool.execute("UPDATE dead_letters SET replayed_at = now()")
    await sweep(world, tables)

    assert (some, metrics.DEAD_LETTERS_KEPT.labels(1)._value.get()) == (1, 0)


@pytest.mark.promise("P-OPS-42", "P-OPS-31")
async def test_what_was_replayed_just_now_stays_however_old_it_is_and_however_many_there_are(tables: Settings, world: World) -> None:
    for offset in range(3):
        await world.pool.execute(LETTER, None, offset, None)
    await world.pool.execute("""
        UPDATE dead_letters SET created_at = now() - interval '40 days', replayed_at = now(), account = 1 WHERE "offset" < 2
    """)
    await world.pool.execute("UPDATE dead_letters SET account = 1")
    await sweep(world, tables.model_copy(update={"dead_letters_limit": 1}))

    assert [row[0] for row in await world.pool.fetch('SELECT "offset" FROM dead_letters ORDER BY 1')] == [0, 1, 2]


@pytest.mark.promise("P-OPS-42")
async def test_a_dead_letter_that_is_being_replayed_is_not_waited_for(tables: Settings, world: World) -> None:
    for offset in range(2):
        await world.pool.execute(LETTER, None, offset, None)
    async with world.pool.acquire() as connection, connection.transaction():
        await connection.execute('UPDATE dead_letters SET replayed_at = now() WHERE "offset" = 0')
        await sweep(world, tables.model_copy(update={"dead_letters_limit": 1}))

    assert [row[0] for row in await world.pool.fetch('SELECT "offset" FROM dead_letters')] == [0]
