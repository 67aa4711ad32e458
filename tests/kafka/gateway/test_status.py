"""`tasks/status`: how far a batch has come."""

import asyncio

import pytest

from schemas.ids import new_id
from tests.kafka.gateway.running import GOOD, PROFILE, Running

pytestmark = pytest.mark.asyncio(loop_scope="session")

ENTRY = {"profile_id": PROFILE}
BAD = {"error": 400, "error_text": "Incorrect object"}
NO_LAUNCHES = {"scheduled": 0, "launched": 0, "skipped": 0, "launch_failed": 0, "cancelled": 0}


@pytest.mark.promise("P-STATUS-01", "P-STATUS-02", "P-STATUS-03", "P-STATUS-04")
async def test_a_batch_is_seen_through_from_accepting_to_completed(hasty_brokerless: Running) -> None:
    await hasty_brokerless.send(data=[GOOD, 5, GOOD])
    task = await hasty_brokerless.task()
    accepting = await hasty_brokerless.status(task)
    hasty_brokerless.broker.set()
    await hasty_brokerless.soon("SELECT published_at FROM batches")
    running = await hasty_brokerless.status(task)
    await hasty_brokerless.answer_item(task, 2)
    half = await hasty_brokerless.status(task)
    await hasty_brokerless.answer_item(task, 0)
    completed = await hasty_brokerless.status(task)

    assert (accepting["status"], accepting["progress"], accepting["result"]["items"]) == ("accepting", 33, [None, BAD, None])
    assert running["status"] == "running"
    assert (half["status"], half["progress"], half["result"]["items"]) == ("running", 66, [None, BAD, ENTRY])
    assert completed == {
        "task_id": task,
        "status": "completed",
        "progress": 100,
        "result": {"total": 3, "imported": 2, "failed": 1, **NO_LAUNCHES, "items": [ENTRY, BAD, ENTRY]},
    }


@pytest.mark.promise("P-STATUS-03")
async def test_launches_are_counted_from_their_groups(hasty: Running) -> None:
    task = (await hasty.send(data=[GOOD])).json()["data"]["task_id"]
    await hasty.pool.execute(
        "INSERT INTO launches (batch, trigger, attempt, first_item, due_at, run_at, chunk, items, profiles, done, launched, skipped, "
        "failed, finished_at) SELECT $1, id, 0, first_item, now(), now(), 0, ARRAY[1, 2, 3, 4, 5, 6], '', B'110000', 1, 2, 3, finished_at "
        "FROM triggers, "
        "(VALUES (0, now()), (1, NULL), (2, NULL)) g(first_item, finished_at) WHERE number = 8",
        bytes.fromhex(task),
    )
    await hasty.pool.execute("UPDATE launches SET launched = 2, skipped = 0, failed = 0 WHERE first_item > 0")
    counts = (await hasty.status(task))["result"]

    assert {name: counts[name] for name in NO_LAUNCHES} == {
        "scheduled": 8,
        "launched": 5,
        "skipped": 2,
        "launch_failed": 3,
        "cancelled": 0,
    }


@pytest.mark.promise("P-STATUS-03")
async def test_items_and_counts_are_of_one_moment(hasty: Running) -> None:
    task = (await hasty.send()).json()["data"]["task_id"]
    async with hasty.pool.acquire() as connection, connection.transaction():
        await connection.execute("LOCK TABLE results")
        reading = asyncio.create_task(hasty.status(task))
        await hasty.soon("SELECT true FROM pg_locks WHERE relation = 'results'::regclass AND NOT granted")
        await hasty.answered(connection, task, 0)
    result = (await reading)["result"]

    assert (result["imported"], result["items"]) == (0, [None])


@pytest.mark.promise("P-STATUS-04")
async def test_items_are_read_in_pages(hasty: Running) -> None:
    entries = [BAD, ENTRY, BAD, ENTRY]
    task = (await hasty.send(data=[5, GOOD, 5, GOOD])).json()["data"]["task_id"]
    for item in (1, 3):
        await hasty.answer_item(task, item)

    for start, limit in ((0, 2), (2, 10), (1, 1), (9, 5), (0, 0)):
        status = await hasty.status(task, **{"from": start, "limit": limit})
        assert status["result"]["items"] == entries[start : start + limit]


@pytest.mark.promise("P-STATUS-05", "P-OPS-11")
async def test_a_task_that_is_malformed_unknown_or_somebody_elses_is_not_found(hasty: Running) -> None:
    task = (await hasty.send()).json()["data"]["task_id"]
    for token, wanted in (("abcdefghijklmnqrstuvwxyz", "8"), ("abcdefghijklmnqrstuvwxyz", new_id().hex()), ("other-token", task)):
        answer = await hasty.post("tasks/status", token=token, task_id=wanted)

        assert (answer.status_code, answer.json()["error_text"]) == (404, "Not found")


@pytest.mark.promise("P-STATUS-06")
@pytest.mark.parametrize("headers", [{}, {"Request-ID": "1"}])
async def test_a_batch_whose_gateway_fell_silent_is_incomplete(hasty: Running, headers: dict[str, str]) -> None:
    task = (await hasty.send(headers)).json()["data"]["task_id"]
    await hasty.pool.execute("UPDATE batches SET published_at = NULL, accepting_until = now() - interval '59 seconds'")
    hoping = (await hasty.status(task))["status"]
    await hasty.pool.execute("UPDATE batches SET accepting_until = now() - interval '61 seconds'")
    lost = (await hasty.status(task))["status"]
    await hasty.answer_item(task, 0)
    answered = (await hasty.status(task))["status"]

    assert (hoping, lost, answered) == ("accepting", "incomplete", "completed")
