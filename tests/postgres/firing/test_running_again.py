"""Launches that failed, and the runs that an operator lets them have."""

import asyncio

import asyncpg
import pytest

from profuse import failures
from schemas.settings import Settings
from store import failures as storing
from store.failures import Wanted
from tests.firing import Launcher, Topic, counts, schedule
from tests.launching import Remembering, World
from workers.launcher.channels.channel import Deferred, Rejected
from workers.launcher.model import Launch

pytestmark = pytest.mark.promise("P-LAUNCH-20", "P-DOOR-37")


async def refuse_some(launch: Launch) -> None:
    if launch.recipient.address.startswith("no"):
        raise Rejected("550 no such user")


async def failing(world: World, topic: Topic, *emails: str) -> Launcher:
    await schedule(world, *emails)
    launcher = Launcher(world, Remembering(refuse_some), topic)
    await launcher.work_once()
    return launcher


async def test_what_failed_is_kept_with_its_reason(tables: Settings, world: World, topic: Topic) -> None:
    await failing(world, topic, "a@shop.test", "no-b@shop.test", "no-c@shop.test")

    rows = await failures.listed(tables, failures.ALL, 10)
    assert [(row["item"], row["trigger"], row["reason"], row["run"]) for row in rows] == [
        (1, 8, "550 no such user", 0),
        (2, 8, "550 no such user", 0),
    ]
    assert await failures.count(tables, Wanted(reason="552")) == 0


async def test_a_new_run_is_told_anew_and_what_leaves_has_the_id_of_before(tables: Settings, world: World, topic: Topic) -> None:
    launcher = await failing(world, topic, "a@shop.test", "no-b@shop.test")
    before = topic.events()
    topic.records.clear()
    launcher.channel.does = None

    assert await failures.replay(tables, failures.ALL) == 1
    assert (await counts(world))["failed"] == 0
    await launcher.work_once()

    told = topic.events()
    assert [event["event_type"] for event in told] == ["launch", "send"]
    assert not {event["event_id"] for event in told} & {event["event_id"] for event in before}
    assert {event["event_data"]["launch_id"] for event in told} <= {event["event_data"]["launch_id"] for event in before}
    assert (await counts(world)).items() >= {"launched": 2, "failed": 0, "finished": True}.items()
    assert await failures.count(tables, failures.ALL) == 0


async def test_one_that_fails_again_has_another_run_to_come(tables: Settings, world: World, topic: Topic) -> None:
    launcher = await failing(world, topic, "no-a@shop.test", "no-b@shop.test")
    for run in (1, 2):
        assert await failures.replay(tables, failures.ALL) == 2
        await launcher.work_once()
        assert {row["run"] for row in await failures.listed(tables, failures.ALL, 10)} == {run}
        assert (await counts(world))["failed"] == 2

    ids = [event["event_id"] for event in topic.events()]
    assert len(ids) == len(set(ids)) == 12


async def test_a_new_run_has_all_its_attempts(tables: Settings, world: World, topic: Topic) -> None:
    launcher = await failing(world, topic, "no-a@shop.test")
    await failures.replay(tables, failures.ALL)

    async def greylist(_: Launch) -> None:
        raise Deferred("SMTP 450")

    launcher.channel.does = greylist
    await launcher.work_once()
    launcher.channel.does = None
    await launcher.work_once()

    assert topic.types() == ["launch", "fail", "launch", "send"]
    assert [tuple(row) for row in await world.pool.fetch("SELECT attempt, began, run FROM launches ORDER BY attempt")] == [
        (0, 0, 0),
        (1, 1, 1),
        (2, 1, 1),
    ]


async def test_only_what_is_meant_runs_again(tables: Settings, world: World, topic: Topic) -> None:
    await failing(world, topic, "no-a@shop.test")
    other = await schedule(world, "no-b@shop.test")
    launcher = Launcher(world, Remembering(refuse_some), topic)
    await launcher.work_once()

    assert await failures.replay(tables, Wanted(batch=other, account=1, trigger=8, reason="no such")) == 1
    assert await failures.count(tables, failures.ALL) == 1


async def test_a_mark_that_is_written_twice_keeps_one_failure(tables: Settings, world: World, topic: Topic, pool: asyncpg.Pool) -> None:
    topic.away = True
    launcher = await failing(world, topic, "no-a@shop.test")
    topic.away = False
    await launcher.work_once()

    assert await failures.count(tables, failures.ALL) == 1
    assert (await counts(world))["failed"] == 1


# As if each failed again at once, and the clock stood still.
_FAIL_AGAIN = """
CREATE FUNCTION fail_again() RETURNS trigger AS $$ BEGIN INSERT INTO failures SELECT OLD.*; RETURN NULL; END $$ LANGUAGE plpgsql;
CREATE TRIGGER again AFTER DELETE ON failures FOR EACH ROW EXECUTE FUNCTION fail_again()
"""


async def test_no_page_of_them_reads_those_of_the_pages_before_it(
    tables: Settings, world: World, topic: Topic, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(storing, "PAGE", 2)
    await failing(world, topic, *(f"no-{each}@shop.test" for each in "abcde"))
    await world.pool.execute(_FAIL_AGAIN)
    pages: list[int] = []
    async with asyncio.timeout(20):
        total = await failures.replay(tables, failures.ALL, pages.append)

    assert (total, pages) == (5, [2, 2, 1])


async def test_the_index_leads_to_the_next_page_also_by_a_plan_that_knows_no_values(world: World) -> None:
    async with world.pool.acquire() as connection, connection.transaction():
        await connection.execute("SET LOCAL enable_sort = off; SET LOCAL plan_cache_mode = force_generic_plan")
        kinds = ("bytea", "int", "int", "text", "timestamptz", "int", "bytea", "int", "int")
        await connection.execute(f"PREPARE again ({', '.join(kinds)}) AS {storing._RUN}")
        plan = await connection.fetch("EXPLAIN EXECUTE again (NULL, NULL, NULL, 'x', now(), 1000, '', 0, 0)")
        await connection.execute("DEALLOCATE again")

    scan = "\n".join(row[0] for row in plan).partition("Index Scan using failures_pkey on failures failure")[2]
    assert scan.partition("\n")[2].lstrip().startswith("Index Cond: (ROW(batch, trigger, item) > ROW($7, $8, $9))")


async def test_a_batch_that_retention_is_about_to_delete_is_not_waited_for(tables: Settings, world: World, topic: Topic) -> None:
    """It waits for what the replay has locked by then."""
    await failing(world, topic, "no-b@shop.test")
    async with asyncio.timeout(10), world.pool.acquire() as retention, retention.transaction():
        await retention.execute("SELECT FROM batches FOR UPDATE")
        begun = await failures.replay(tables, failures.ALL)

    assert begun == 0
    assert await failures.replay(tables, failures.ALL) == 1
