"""The durable timers: what is scheduled, who claims it, who may write."""

import asyncio
import time
from datetime import timedelta

import asyncpg
import pytest

from runtime.postgres import open_pool
from schemas.ids import TriggerId
from schemas.messages import TriggerStart
from schemas.settings import Settings
from tests.firing import claim
from tests.launching import NOBODY, World, matched, new_world
from workers.launcher.claim import claims
from workers.launcher.claim.lane import Lane
from workers.launcher.claim.turns import Asked
from workers.launcher.clock import clock
from workers.launcher.groups import launches, marks
from workers.launcher.groups.group import Group, NewGroup, started_by
from workers.launcher.groups.leases import Lease
from workers.launcher.groups.marks import Marked, Marks
from workers.launcher.groups.naming import LeaseLost

LEASE = timedelta(seconds=30)
OVER = timedelta(0)


@pytest.fixture
async def world(tables: Settings, pool: asyncpg.Pool) -> World:
    return await new_world(pool)


async def schedule(world: World, batch: bytes, *items: int, trigger: TriggerId | None = None) -> set[tuple[int, TriggerId]]:
    """One group of these items."""
    packed = NOBODY * len(items)
    async with world.pool.acquire() as connection:
        return await launches.insert(connection, [NewGroup(batch, trigger or world.trigger, min(items), min(items), items, packed)])


async def one(world: World, lease: timedelta = LEASE) -> Group:
    (group,) = await claim(world, lease, 10)
    return group


# Scheduling


@pytest.mark.promise("P-LAUNCH-02")
async def test_a_group_is_due_when_its_batch_is(world: World) -> None:
    batch = await world.batch(due_in=timedelta(minutes=5))

    due = await schedule(world, batch, 0)

    assert not due
    assert await world.pool.fetchval("SELECT l.due_at = b.due_at AND l.run_at = b.due_at FROM launches l JOIN batches b ON b.id = l.batch")


@pytest.mark.promise("P-TRIG-04")
async def test_a_trigger_that_the_batch_does_not_name_is_due_by_its_own_minutes(world: World) -> None:
    other = await world.trigger_of(9, skip_minutes=7)
    batch = await world.batch(due_in=timedelta(days=5))

    await schedule(world, batch, 0, trigger=other)

    wait = await world.pool.fetchval("SELECT l.due_at - b.accepted_at FROM launches l JOIN batches b ON b.id = l.batch")
    assert wait == timedelta(minutes=7)


async def test_scheduling_tells_whether_something_is_due_already(world: World) -> None:
    assert await schedule(world, await world.batch(), 0)


@pytest.mark.promise("P-LAUNCH-01")
async def test_a_repeat_starts_nothing(world: World) -> None:
    batch = await world.batch()
    await schedule(world, batch, 0, 1)
    group = await one(world)
    await marks.mark(world.pool, [Marked(group, Marks(sent=[0]), None)])

    due = await schedule(world, batch, 0, 1)

    assert not due
    assert await world.pool.fetchval("SELECT count(*) || '/' || sum(launched) FROM launches") == "1/1"


@pytest.mark.promise("P-LAUNCH-01")
async def test_a_repeat_inside_a_chunk_starts_nothing(world: World) -> None:
    batch = await world.batch()
    message = matched(batch, {0: NOBODY}, [TriggerStart(trigger=world.trigger)])
    async with world.pool.acquire() as connection:
        await launches.insert(connection, started_by([message, message]))

    assert await world.pool.fetchval("SELECT count(*) FROM launches") == 1


async def test_a_batch_whose_row_is_gone_starts_nothing(world: World) -> None:
    alive = await world.batch()
    async with world.pool.acquire() as connection:
        groups = [NewGroup(batch, world.trigger, 0, 0, [0], NOBODY) for batch in (b"\x00" * 12, alive)]
        await launches.insert(connection, groups)

    assert await world.pool.fetch("SELECT batch FROM launches") == [(alive,)]


async def test_a_batch_that_is_being_deleted_starts_nothing(world: World) -> None:
    batch = await world.batch()
    async with world.pool.acquire() as connection, asyncio.TaskGroup() as rivals, connection.transaction():
        await connection.execute("DELETE FROM batches WHERE id = $1", batch)
        scheduling = rivals.create_task(schedule(world, batch, 0))
        async with asyncio.timeout(10):
            # Without its own lock it would find the row, and fall over its foreign key.
            while not await world.pool.fetchval("SELECT count(*) FROM pg_locks WHERE NOT granted AND pid <> pg_backend_pid()"):
                await asyncio.sleep(0.01)

    assert not scheduling.result()
    assert await world.pool.fetchval("SELECT count(*) FROM launches") == 0


async def test_an_unknown_trigger_is_refused_and_not_forgotten(world: World) -> None:
    with pytest.raises(asyncpg.IntegrityConstraintViolationError):
        await schedule(world, await world.batch(), 0, trigger=TriggerId(999_999))


async def test_many_batches_are_scheduled_at_once_whatever_was_there_when_the_plan_was_made(tables: Settings, world: World) -> None:
    batches = sorted([await world.batch() for _ in range(1_000)])

    async def seconds(first_item: int) -> float:
        began = time.monotonic()
        await launches.insert(connection, [NewGroup(batch, world.trigger, first_item, 0, [0], NOBODY) for batch in batches])
        return time.monotonic() - began

    async with await open_pool(tables, 1) as pool, pool.acquire() as connection:
        # Planned for as many as these.
        fresh = await seconds(0)
        for item in range(7):
            await launches.insert(connection, [NewGroup(batches[0], world.trigger, 1 + item, 0, [0], NOBODY)])
        planned_for_one = min([await seconds(10 + turn) for turn in range(3)])

    # A plan that compares each with each takes ten times as long; a machine that is busy takes as long for both.
    assert planned_for_one < max(1, 4 * fresh)


# Claiming


@pytest.mark.promise("P-LAUNCH-02")
async def test_nothing_is_claimed_early(world: World) -> None:
    await schedule(world, await world.batch(due_in=timedelta(seconds=60)), 0)

    assert await claim(world, LEASE, 10) == []


async def test_a_claimed_group_says_all_that_is_needed(world: World) -> None:
    batch = await world.batch()
    await schedule(world, batch, 3, 5)

    group = await one(world)

    assert (group.batch, group.trigger, group.items, group.profiles) == (batch, world.trigger, [3, 5], [NOBODY, NOBODY])
    assert (group.first_item, group.fence, group.undone()) == (3, 1, [0, 1])
    assert 0 <= group.late < 10


@pytest.mark.promise("P-LAUNCH-15")
async def test_rival_launchers_never_share_a_group(world: World) -> None:
    for _ in range(40):
        await schedule(world, await world.batch(), 0)

    claims = await asyncio.gather(*[claim(world, LEASE, 5) for _ in range(8)])

    claimed = [group.batch for groups in claims for group in groups]
    assert len(claimed) == len(set(claimed)) == 40


@pytest.mark.promise("P-LAUNCH-15")
async def test_a_rival_does_not_wait_for_a_claim_under_way(world: World) -> None:
    for _ in range(2):
        await schedule(world, await world.batch(), 0)
    async with world.pool.acquire() as connection, connection.transaction():
        first = await connection.fetch(claims.CLAIM, LEASE, [1], [world.trigger], [1], [8], 8, [])

        # With a plain FOR UPDATE this would wait until the lock times out.
        second = await claim(world, LEASE, 10)

    assert {first[0]["batch"]} | {group.batch for group in second} == set(await world.pool.fetchval("SELECT array_agg(id) FROM batches"))
    assert len(second) == 1


async def test_the_longest_due_go_first(world: World) -> None:
    for minutes in (2, 9, 5):
        await schedule(world, await world.batch(due_in=timedelta(minutes=-minutes)), 0)

    claimed = await claim(world, LEASE, 2)

    assert [round(group.late / 60) for group in claimed] == [9, 5]


async def test_the_longest_due_are_claimed_whatever_the_plan(world: World) -> None:
    for minutes in (2, 9, 5):
        await schedule(world, await world.batch(due_in=timedelta(minutes=-minutes)), 0)
    async with world.pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL enable_indexscan = off; SET LOCAL enable_bitmapscan = off")
        claimed = await connection.fetch(claims.CLAIM, LEASE, [1], [world.trigger], [2], [8], 8, [])

    assert {round(row["late"] / 60) for row in claimed} == {9, 5}


@pytest.mark.promise("P-LAUNCH-15", "P-OPS-03")
async def test_a_lease_that_ended_gives_the_group_to_another(world: World) -> None:
    await schedule(world, await world.batch(), 0)
    first = await one(world, OVER)

    second = await one(world)

    assert (second.batch, second.fence) == (first.batch, 2)


async def test_a_group_under_lease_is_not_claimed(world: World) -> None:
    await schedule(world, await world.batch(), 0)
    await one(world)

    assert await claim(world, LEASE, 10) == []


async def test_a_finished_group_is_never_claimed(world: World) -> None:
    await schedule(world, await world.batch(), 0)
    await launches.finish(world.pool, [await one(world, OVER)])

    assert await claim(world, LEASE, 10) == []


async def test_a_group_that_was_put_back_rests(world: World) -> None:
    await schedule(world, await world.batch(), 0)
    await launches.put_back(world.pool, await one(world), timedelta(seconds=60))

    assert await claim(world, LEASE, 10) == []


@pytest.mark.promise("P-LAUNCH-31")
async def test_a_lane_whose_groups_are_larger_than_expected_gets_fewer_of_them(world: World) -> None:
    for size in (1, 5, 5, 5):
        await schedule(world, await world.batch(total=size), *range(size))
    lane = Lane(1, world.trigger)

    # A group of a page counts as one, however large.
    taken = await claims.claim(world.pool, LEASE, {lane: Asked(10, 3)}, 2)
    left = await claims.claim(world.pool, LEASE, {lane: Asked(10, 100)}, 2)

    assert sorted(len(group.items) for group in taken) == [1, 5]
    assert [len(group.items) for group in left] == [5, 5]


@pytest.mark.promise("P-LAUNCH-43")
async def test_of_a_batch_of_which_a_launcher_has_enough_it_takes_and_sees_no_more(world: World) -> None:
    spread, other = await world.batch(total=9), await world.batch()
    another = await world.trigger_of(9)
    await schedule(world, spread, 0)
    await schedule(world, other, 0)
    enough = [spread + world.trigger.to_bytes(4)]
    lanes = [Lane(1, world.trigger), Lane(1, another)]

    taken = await claims.claim(world.pool, LEASE, dict.fromkeys(lanes, Asked(10, 100)), 2, enough)
    seen = await claims.look(world.pool, LEASE, enough)
    await world.pool.execute("UPDATE launches SET trigger = $1 WHERE batch = $2", another, spread)
    # Another trigger's are spread by themselves.
    theirs = await claims.claim(world.pool, LEASE, dict.fromkeys(lanes, Asked(10, 100)), 2, enough)
    await world.pool.execute("UPDATE launches SET trigger = $1, attempt = 1, run_at = now() WHERE batch = $2", world.trigger, spread)
    # And what was put off has its rests.
    due = await claims.look(world.pool, LEASE, enough)
    again = await claims.claim(world.pool, LEASE, {lanes[0]: Asked(10, 100)}, 2, enough)

    assert [[group.batch for group in groups] for groups in (taken, theirs, again)] == [[other], [spread], [spread]]
    assert due[lanes[0]] <= 0
    # What was claimed comes again when its lease is over.
    assert [in_seconds > 20 for in_seconds in seen.values()] == [True]


# Writing


@pytest.mark.promise("P-LAUNCH-16")
@pytest.mark.parametrize("write", ["renew", "mark", "put_back", "finish"])
async def test_a_launcher_that_was_frozen_past_its_lease_writes_nothing(world: World, write: str) -> None:
    await schedule(world, await world.batch(), 0)
    frozen = await one(world, OVER)
    await one(world)
    before = await world.pool.fetch("SELECT * FROM launches")

    if write == "mark":
        assert await marks.mark(world.pool, [Marked(frozen, Marks(sent=[0]), b"x")]) == [False]
    elif write == "finish":
        assert await launches.finish(world.pool, [frozen]) == [False]
    elif write == "renew":
        assert await launches.renew(world.pool, [frozen], [], LEASE) == [False]
    else:
        with pytest.raises(LeaseLost):
            await launches.put_back(world.pool, frozen, LEASE)

    assert await world.pool.fetch("SELECT * FROM launches") == before


@pytest.mark.promise("P-LAUNCH-16")
async def test_what_is_written_together_is_each_group_s_own(world: World) -> None:
    for items in ([0], [0, 1, 2, 3, 4, 5, 6, 7, 8], [0, 1]):
        await schedule(world, await world.batch(total=9), *items)
    first = {len(group.items): group for group in await claim(world, OVER)}
    lost = first[9]
    (again,) = [group for group in await claim(world, LEASE) if group.batch == lost.batch]

    marked = [Marked(first[2], Marks(sent=[1]), b"two"), Marked(lost, Marks(sent=[8]), b"x"), Marked(again, Marks(skipped=[8, 0]), None)]
    found = await marks.mark(world.pool, marked)

    # The others were claimed anew, too.
    assert found == [False, False, True]
    assert (await world.pool.fetchrow("SELECT launched, skipped FROM launches WHERE batch = $1", lost.batch)) == (0, 2)
    assert await launches.finish(world.pool, [lost, again]) == [False, True]


async def test_marks_add_up(world: World) -> None:
    await schedule(world, await world.batch(), 0, 1, 2, 3)
    group = await one(world, OVER)
    await marks.mark(world.pool, [Marked(group, Marks(sent=[0], skipped=[2]), b"events")])
    await marks.mark(world.pool, [Marked(group, Marks(failed=[3]), b"others")])

    group = await one(world)

    assert (group.undone(), group.outbox) == ([1], b"others")
    assert await world.pool.fetchrow("SELECT launched, skipped, failed FROM launches") == (1, 1, 1)


async def test_a_lease_is_renewed_when_less_than_half_is_left(world: World) -> None:
    await schedule(world, await world.batch(), 0)
    group = await one(world, timedelta(seconds=14))
    lease = Lease(LEASE, clock() - 16, [group])

    await lease.renew_if_due(world.pool)

    assert lease.covers(timedelta(seconds=29))
    assert await world.pool.fetchval("SELECT run_at > now() + interval '29 s' FROM launches")


async def test_a_fresh_lease_costs_no_write(world: World) -> None:
    await schedule(world, await world.batch(), 0)
    group = await one(world)
    before = await world.pool.fetchval("SELECT xmin::text FROM launches")

    await Lease(LEASE, clock(), [group]).renew_if_due(world.pool)

    assert await world.pool.fetchval("SELECT xmin::text FROM launches") == before


@pytest.mark.promise("P-LAUNCH-16")
async def test_a_lease_that_was_taken_over_is_noticed_before_the_next_page(world: World) -> None:
    await schedule(world, await world.batch(), 0)
    frozen = await one(world, OVER)
    await one(world)

    with pytest.raises(LeaseLost):
        await Lease(LEASE, clock() - 60, [frozen]).renew_if_due(world.pool)


# Plans


async def test_a_claim_reads_what_is_due_and_not_what_is_pending(tables: Settings, world: World) -> None:
    batch = await world.batch(total=100_000, due_in=timedelta(days=1))
    async with await open_pool(tables, 1) as pool, pool.acquire() as connection:
        # Planned while the table is empty, and never analysed since.
        for _ in range(7):
            await connection.fetch(claims.CLAIM, LEASE, [1], [world.trigger], [8], [8], 8, [])
        await connection.execute(
            """
            INSERT INTO launches (batch, trigger, account, attempt, first_item, due_at, run_at, chunk, items, profiles, done)
            SELECT $1, $2, 1, 0, n, now() + interval '1 day', now() + interval '1 day', 0, ARRAY[n], ''::bytea, '0'::varbit
            FROM generate_series(0, 99999) AS n
            """,
            batch,
            world.trigger,
        )
        await connection.execute("UPDATE launches SET run_at = now() WHERE first_item IN (7, 70)")
        before = await _blocks(connection)
        claimed = await connection.fetch(claims.CLAIM, LEASE, [1], [world.trigger], [8], [8], 8, [])
        touched = await _blocks(connection) - before

    assert len(claimed) == 2
    assert touched < 100


async def _blocks(connection: asyncpg.Connection) -> int:
    """Blocks of `launches` and its indexes that were read so far."""
    await connection.execute("SELECT pg_stat_force_next_flush()")
    return int(
        await connection.fetchval(
            """
            SELECT heap_blks_read + heap_blks_hit + idx_blks_read + idx_blks_hit
            FROM pg_statio_user_tables WHERE relid = 'launches'::regclass
            """
        )
    )
