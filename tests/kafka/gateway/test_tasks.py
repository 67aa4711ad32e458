"""The batch without waiting: a task id as soon as the broker has everything."""

import asyncio

import pytest

from ingest.endpoints import batch
from tests.kafka.gateway.running import GOOD, TASK, Running

pytestmark = pytest.mark.asyncio(loop_scope="session")

ID = {"Request-ID": "order-1"}


@pytest.mark.promise("P-BATCH-23")
async def test_a_task_is_answered_once_the_broker_has_every_item(brokerless: Running) -> None:
    call = asyncio.create_task(brokerless.send(path=TASK, data=[GOOD, 5]))
    task = await brokerless.task()
    await brokerless.soon("SELECT accepting_until > accepted_at + interval '1.2 seconds' FROM batches")
    early = call.done()
    brokerless.broker.set()
    answer = await call

    assert not early
    assert (answer.status_code, answer.text) == (
        200,
        f'{{"data":{{"task_id":"{task}"}},"error":0,"error_text":"Successful operation"}}',
    )
    assert len(await brokerless.published(task, count=1)) == 1


@pytest.mark.promise("P-REQID-05")
async def test_who_is_answered_may_repeat_at_once(frozen: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(batch, "_NOTED_WITHIN", 60.0)
    call = asyncio.create_task(frozen.send(ID, path=TASK))
    await frozen.task()
    # A gateway that renews its lease would wait here for that, and note nothing.
    async with frozen.pool.acquire() as connection, connection.transaction():
        await connection.execute("SELECT FROM batches FOR UPDATE")
        frozen.broker.set()
        await frozen.soon("SELECT true FROM pg_stat_activity WHERE wait_event_type = 'Lock' AND query LIKE '%published_at%'")
        early = call.done()
    first, repeat = await call, await frozen.send(ID, path=TASK)

    assert not early
    assert (repeat.status_code, repeat.json()) == (200, first.json())


@pytest.mark.promise("P-BATCH-23", "P-BATCH-20")
async def test_a_task_that_is_not_published_by_the_deadline_is_a_503(hasty_brokerless: Running) -> None:
    assert (await hasty_brokerless.send(path=TASK)).status_code == 503


@pytest.mark.promise("P-BATCH-23", "P-REQID-02", "P-REQID-05")
async def test_a_repeated_task_gets_the_same_id_at_once_and_is_not_the_waiting_call(patient: Running) -> None:
    first = await patient.send(ID, path=TASK)
    repeat = await patient.send(ID, path=TASK)
    waiting = await patient.send(ID)

    assert (repeat.status_code, repeat.json()) == (200, first.json())
    assert repeat.headers["duplicate-key"] == "order-1"
    assert waiting.status_code == 422
