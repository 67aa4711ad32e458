"""While nothing goes a gateway's log does not fill the disk, however often its clients repeat."""

from collections.abc import AsyncIterator

import pytest
import pytest_asyncio
from structlog.testing import capture_logs

from ingest.http import sparing
from schemas.settings import Settings
from tests.kafka.gateway.running import PROFILE, Running, running

pytestmark = pytest.mark.asyncio(loop_scope="session")

REQUESTS = 5


@pytest_asyncio.fixture(loop_scope="session")
async def fresh(configured: Settings) -> AsyncIterator[Running]:
    """Has told of nothing yet."""
    async with running(configured) as world:
        yield world
        await world.forget()


@pytest.mark.promise("P-WATCH-06")
async def test_requests_that_fail_alike_are_told_in_one_line(fresh: Running) -> None:
    await fresh.pool.execute("ALTER TABLE batches RENAME TO elsewhere")
    with capture_logs() as logs:
        answers = [await fresh.send() for _ in range(REQUESTS)]
        other = await fresh.post("tasks/status", None, task_id=PROFILE)
    await fresh.pool.execute("ALTER TABLE elsewhere RENAME TO batches")

    assert {answer.status_code for answer in [*answers, other]} == {503}
    told = [(line["path"], line["requests"]) for line in logs if line["event"] == "request_failed"]
    assert told == [("campaigns/triggers/import_and_start_batch", 1), ("tasks/status", 1)]


@pytest.mark.promise("P-WATCH-06")
async def test_the_next_line_tells_how_many_there_were(fresh: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    await fresh.pool.execute("ALTER TABLE batches RENAME TO elsewhere")
    with capture_logs() as logs:
        for _ in range(REQUESTS):
            await fresh.send()
        monkeypatch.setattr(sparing, "_TOLD_EVERY", 0.0)
        await fresh.send()
    await fresh.pool.execute("ALTER TABLE elsewhere RENAME TO batches")

    assert [line["requests"] for line in logs if line["event"] == "request_failed"] == [1, REQUESTS]
