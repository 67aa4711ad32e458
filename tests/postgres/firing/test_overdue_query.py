"""What the chart's autoscaler asks Postgres: how many groups of launches are overdue."""

import asyncpg
import pytest

from schemas.settings import Settings
from tests.charts import CHART
from tests.firing import schedule
from tests.launching import World
from tests.roles import somebody


@pytest.fixture
def query(tables: Settings) -> str:
    return (CHART / "files" / "overdue.sql").read_text().replace("{{ schema }}", tables.prefix)


@pytest.mark.promise("P-DEPLOY-05")
async def test_it_counts_what_is_due_and_not_claimed(query: str, world: World) -> None:
    none = await world.pool.fetchval(query)
    for number in range(3):
        await schedule(world, f"{number}@example.com", batch=await world.batch())
    just_due = await world.pool.fetchval(query)
    await world.pool.execute("UPDATE launches SET run_at = now() - interval '1 minute'")
    all_of_them = await world.pool.fetchval(query)
    # One is claimed.
    await world.pool.execute("UPDATE launches SET run_at = now() + interval '30 seconds' WHERE ctid = (SELECT min(ctid) FROM launches)")

    assert (none, just_due, all_of_them, await world.pool.fetchval(query)) == (0.0, 0.0, 3.0, 2.0)


@pytest.mark.promise("P-DEPLOY-05")
@pytest.mark.parametrize("limit", ["pace", "spread"])
async def test_it_counts_nothing_that_waits_for_its_turn(query: str, world: World, limit: str) -> None:
    for trigger in (world.trigger, await world.trigger_of(9)):
        await schedule(world, "a@example.com", trigger=trigger)
    await world.pool.execute("UPDATE launches SET run_at = now() - interval '1 minute'")
    await world.pool.execute(f"UPDATE triggers SET {limit} = 60 WHERE id = $1", world.trigger)  # noqa: S608  # of the test

    assert await world.pool.fetchval(query) == 1.0


@pytest.mark.promise("P-DEPLOY-05")
async def test_it_reads_the_index_however_many_wait(query: str, world: World) -> None:
    async with world.pool.acquire() as connection, connection.transaction():
        # Of a small table all is read at once.
        await connection.execute("SET LOCAL enable_seqscan = off")
        plan = "\n".join(row[0] for row in await connection.fetch(f"EXPLAIN {query}"))

    assert "launches_account_trigger_run_at_idx" in plan
    assert "Seq Scan" not in plan


@pytest.mark.promise("P-DEPLOY-05")
async def test_whoever_has_the_rights_that_the_page_gives_may_ask(query: str, tables: Settings, world: World) -> None:
    page = (CHART.parents[2] / "docs" / "deploying.md").read_text()
    granted = [line for line in page.splitlines() if line.startswith("GRANT ")]
    async with somebody(tables, "search_path = pg_catalog", "") as keda:
        for line in granted:
            await world.pool.execute(line.replace("profuse", tables.prefix).replace("keda", tables.prefix))
        connection = await asyncpg.connect(keda.postgres)
        answer = await connection.fetchval(query)
        await connection.close()

    assert answer == 0.0
