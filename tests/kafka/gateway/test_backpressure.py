"""A gateway that has enough to do says so."""

import asyncio
from collections.abc import AsyncIterator

import httpx
import pytest
import pytest_asyncio

from schemas.settings import Settings
from schemas.topics import IMPORTS
from tests.kafka.gateway.running import GOOD, TASK, Running, running
from tests.kafka.gateway.test_completion import left_behind

pytestmark = pytest.mark.asyncio(loop_scope="session")

ID = {"Request-ID": "order-1"}


@pytest_asyncio.fixture(loop_scope="session")
async def narrow(configured: Settings) -> AsyncIterator[Running]:
    """Takes ten profiles at a time."""
    async with running(configured.model_copy(update={"in_flight_limit": 10})) as world:
        yield world
        await world.forget()


async def catch_up(world: Running) -> None:
    """As if the matchers had done everything."""
    topic = world.settings.topic(IMPORTS.name)
    for partition, end in enumerate(await world.ends.read()):
        await world.pool.execute("UPDATE progress SET position = $3 WHERE topic = $1 AND partition = $2", topic, partition, end)


async def admitted(world: Running, items: int) -> httpx.Response:
    """The answer, once the gateway has seen that the matchers caught up."""
    async with asyncio.timeout(10):
        while (answer := await world.send(ID, path=TASK, data=[GOOD] * items)).status_code == 429:
            await asyncio.sleep(0.02)
    return answer


@pytest.mark.promise("P-HTTP-31", "P-REQID-08", "P-OPS-17")
async def test_a_backlog_that_is_too_long_is_a_429_until_it_has_drained(narrow: Running) -> None:
    await catch_up(narrow)
    # With nothing in flight any request is admitted.
    assert (await admitted(narrow, 20)).status_code == 200

    other = {"Request-ID": "order-2"}
    refused = await narrow.send(other, path=TASK)
    await catch_up(narrow)
    async with asyncio.timeout(10):
        while (later := await narrow.send(other, path=TASK)).status_code == 429:
            await asyncio.sleep(0.02)

    assert (refused.status_code, refused.json()) == (429, {"error": 429, "error_text": "Too many requests"})
    assert int(refused.headers["retry-after"]) > 0
    assert (later.status_code, "duplicate-request" in later.headers) == (200, False)


@pytest.mark.promise("P-REQID-11")
async def test_a_completion_is_admitted_whatever_is_in_flight(frozen: Running, narrow: Running) -> None:
    call, task = await left_behind(frozen, ID)
    await catch_up(narrow)
    async with asyncio.timeout(10):
        while (await narrow.send(data=[GOOD] * 20, path=TASK)).status_code == 429:
            await asyncio.sleep(0.02)
    async with narrow.answering():
        refused = await narrow.send()
        completed = await narrow.send(ID)
    call.cancel()

    assert (refused.status_code, completed.status_code) == (429, 200)
    assert len(await narrow.published(task, count=1)) == 1


@pytest.mark.promise("P-HTTP-31")
async def test_another_gateways_backlog_counts_too(hasty: Running, narrow: Running) -> None:
    await catch_up(narrow)
    assert (await admitted(narrow, 1)).status_code == 200
    # More at a time than fit, as long as it has not seen them.
    await hasty.send(path=TASK, data=[GOOD] * 30)

    async with asyncio.timeout(10):
        while (await narrow.send(path=TASK)).status_code != 429:
            await asyncio.sleep(0.02)
