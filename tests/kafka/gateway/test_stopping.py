"""A gateway that is asked to stop."""

import asyncio

import httpx2
import pytest

from profuse.plain_http import plain_client
from tests.kafka.gateway.running import Running

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.promise("P-OPS-12", "P-BATCH-19")
async def test_who_waits_is_answered_202_as_soon_as_all_is_published(brokerless: Running) -> None:
    waiting = asyncio.create_task(brokerless.send())
    await brokerless.task()
    brokerless.stop.set()
    brokerless.broker.set()
    answer = await waiting

    assert answer.status_code == 202
    await brokerless.gone.wait()
    assert await brokerless.pool.fetchval("SELECT published_at IS NOT NULL FROM batches")


@pytest.mark.promise("P-OPS-12")
async def test_nothing_new_is_taken(brokerless: Running) -> None:
    waiting = asyncio.create_task(brokerless.send())
    await brokerless.task()
    brokerless.stop.set()
    async with asyncio.timeout(20):
        while await _is_taken(brokerless):
            await asyncio.sleep(0.05)
    brokerless.broker.set()

    assert (await waiting).status_code == 202


async def _is_taken(world: Running) -> bool:
    try:
        async with plain_client() as client:
            await client.get(f"{world.gateway.url}/docs")
    except (httpx2.TransportError, OSError):
        return False
    return True


@pytest.mark.promise("P-OPS-12", "P-OPS-13")
async def test_without_a_broker_it_is_gone_within_ten_seconds_and_says_503(brokerless: Running) -> None:
    waiting = asyncio.create_task(brokerless.send())
    await brokerless.task()
    brokerless.stop.set()
    async with asyncio.timeout(10):
        answer = await waiting

    assert answer.status_code == 503
