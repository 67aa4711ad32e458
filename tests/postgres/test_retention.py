"""What is over is deleted together, and nothing before it is over."""

from collections.abc import Sequence
from datetime import timedelta

import asyncpg
import pytest

from profuse import failures
from schemas.settings import Settings
from tests.launching import World
from tests.retaining import FAILURE, LAUNCHES, LETTER, finished, left, request, sweep, world_of

ITS_OWN = ("batches", "batch_progress", "results", "attachments", "launches")


@pytest.fixture
async def world(tables: Settings, pool: asyncpg.Pool) -> World:
    return await world_of(pool)


@pytest.mark.promise("P-OPS-19")
async def test_a_batch_that_is_over_goes_with_all_that_is_its_own(tables: Settings, world: World) -> None:
    await finished(world)
    await sweep(world, tables)

    assert {table: await world.pool.fetchval(f"SELECT count(*) FROM {table}") for table in ITS_OWN} == dict.fromkeys(ITS_OWN, 0)  # noqa: S608


@pytest.mark.promise("P-OPS-19", "P-STATUS-07")
async def test_a_younger_batch_is_kept(tables: Settings, world: World) -> None:
    young = await finished(world, hours=23.9)
    await finished(world)
    await sweep(world, tables)

    assert await left(world) == [young]


@pytest.mark.promise("P-OPS-19", "P-STATUS-07")
@pytest.mark.parametrize(
    ("why", "changes"),
    [
        ("an item is not answered", ["UPDATE batch_progress SET done = B'110', failed = 0"]),
        ("a launch has not ended", ["UPDATE launches SET finished_at = NULL"]),
        ("no launcher has heard of an item yet", ["UPDATE launches SET items = ARRAY[0]"]),
        ("no launcher has heard of the batch yet", ["DELETE FROM launches"]),
        (
            "an attempt counts nothing",
            [
                "INSERT INTO launches SELECT batch, trigger, 1::smallint, 0, due_at, run_at, chunk, '{1}', '', B'1' FROM launches",
                "UPDATE launches SET items = ARRAY[0] WHERE attempt = 0",
                "UPDATE launches SET finished_at = now()",
            ],
        ),
    ],
)
async def test_a_batch_with_something_to_do_is_kept(tables: Settings, world: World, why: str, changes: Sequence[str]) -> None:
    batch = await finished(world)
    for change in changes:
        await world.pool.execute(change)
    await sweep(world, tables)

    assert await left(world) == [batch]


@pytest.mark.promise("P-OPS-19")
async def test_a_gateway_whose_clock_was_ahead_keeps_nothing_longer(tables: Settings, world: World) -> None:
    await finished(world, hours=24.5, ahead=0.9)
    await sweep(world, tables)

    assert await left(world) == []


@pytest.mark.promise("P-OPS-19", "P-STATUS-07")
async def test_launches_of_another_campaign_stand_for_none_of_the_batchs_own(tables: Settings, world: World) -> None:
    batch = await finished(world)
    await world.pool.execute(LAUNCHES, batch, await world.trigger_of(9))
    await world.pool.execute("UPDATE launches SET items = ARRAY[0]")
    await sweep(world, tables)

    assert await left(world) == [batch]


@pytest.mark.promise("P-OPS-19")
async def test_what_keeps_one_batch_keeps_no_other(tables: Settings, world: World) -> None:
    kept = [await finished(world, hours) for hours in (27, 26)]
    await request(world, kept[0], "mine", timedelta(seconds=30))
    await world.pool.execute(LETTER, kept[1], 1, None)
    await finished(world)
    await sweep(world, tables)

    assert await left(world) == kept


@pytest.mark.promise("P-OPS-19")
async def test_a_batch_is_kept_while_its_request_may_be_repeated(tables: Settings, world: World) -> None:
    batch = await finished(world)
    await request(world, batch, "mine", timedelta(seconds=30))
    await sweep(world, tables)
    kept = await left(world)
    await world.pool.execute("UPDATE requests SET expires_at = now()")
    await sweep(world, tables)

    assert (kept, await left(world)) == ([batch], [])
    assert await world.pool.fetchval("SELECT count(*) FROM requests") == 0


@pytest.mark.promise("P-OPS-19")
async def test_a_batch_is_kept_while_a_dead_letter_of_it_may_be_replayed_and_for_a_day_after_that(tables: Settings, world: World) -> None:
    """Else a launcher that comes to the record late would find no batch, and start nothing."""
    batch = await finished(world)
    await world.pool.execute(LETTER, batch, 1, None)
    found = []
    for ago in (None, timedelta(hours=23), timedelta(hours=25)):
        await world.pool.execute("UPDATE dead_letters SET replayed_at = now() - $1::interval", ago)
        await sweep(world, tables)
        found.append(await left(world))

    assert found == [[batch], [batch], []]


@pytest.mark.promise("P-OPS-19", "P-LAUNCH-20")
async def test_a_batch_is_kept_for_a_week_after_its_last_launch_failed(tables: Settings, world: World) -> None:
    batch = await finished(world, hours=400)
    await world.pool.execute(FAILURE, batch, 0, timedelta(days=8))
    await world.pool.execute(FAILURE, batch, 1, timedelta(days=6.9))
    await sweep(world, tables)
    kept, again = await left(world), await failures.count(tables, failures.ALL)
    await world.pool.execute("UPDATE failures SET failed_at = failed_at - interval '3 hours'")
    await sweep(world, tables)

    assert (kept, again, await left(world)) == ([batch], 2, [])


@pytest.mark.promise("P-OPS-19")
@pytest.mark.parametrize(
    ("why", "changes"),
    [
        ("its launches were taken back", ["UPDATE launches SET cancelled = 2"]),
        ("its items all failed", ["UPDATE batch_progress SET imported = 0, failed = 3", "DELETE FROM launches"]),
    ],
)
async def test_what_is_over_does_not_wait_for_the_day_on_which_it_would_have_been_due(
    tables: Settings, world: World, why: str, changes: Sequence[str]
) -> None:
    await finished(world)
    for change in ("UPDATE batches SET due_at = now() + interval '364 days'", *changes):
        await world.pool.execute(change)
    await sweep(world, tables)

    assert await left(world) == []


@pytest.mark.promise("P-OPS-19")
async def test_a_batch_with_an_item_that_nobody_can_answer_any_more_goes_as_dead_letters_do(tables: Settings, world: World) -> None:
    """Its record is lost, or was a dead letter without readable headers."""
    batches = [await finished(world, hours=hours) for hours in (24 * 31, 24 * 29)]
    await world.pool.execute("UPDATE batch_progress SET done = B'110', failed = 0")
    await world.pool.execute("UPDATE batches SET published_at = accepted_at")
    await sweep(world, tables)

    assert await left(world) == batches[1:]


@pytest.mark.promise("P-OPS-19")
async def test_an_answer_is_waited_for_for_as_long_as_the_matchers_may_be_behind(tables: Settings, world: World) -> None:
    """Only of what was published before that is known whether they have come past it."""
    batch = await finished(world)
    await world.pool.execute("UPDATE batch_progress SET done = B'110', failed = 0")
    await world.pool.execute("UPDATE batches SET published_at = now() - interval '2 hours'")
    await sweep(world, tables.model_copy(update={"dead_letters_kept": timedelta(hours=1)}))

    assert await left(world) == [batch]


@pytest.mark.promise("P-OPS-19")
async def test_what_was_never_all_published_goes_with_its_request_id(tables: Settings, world: World) -> None:
    await finished(world)
    await world.pool.execute("UPDATE batch_progress SET done = B'110', failed = 0")
    await world.pool.execute("UPDATE batches SET published_at = NULL")
    await sweep(world, tables)

    assert await left(world) == []


async def test_replayed_dead_letters_go_after_a_day_and_the_dead_stay(tables: Settings, world: World) -> None:
    now = await world.pool.fetchval("SELECT now()")
    for offset, replayed in enumerate((None, now - timedelta(hours=23), now - timedelta(hours=25))):
        await world.pool.execute(LETTER, None, offset, replayed)
    await sweep(world, tables)

    assert [row[0] for row in await world.pool.fetch('SELECT "offset" FROM dead_letters ORDER BY 1')] == [0, 1]
