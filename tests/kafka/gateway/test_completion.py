"""A request whose gateway fell silent while publishing is completed by its repeat."""

import asyncio
from collections import Counter
from typing import Any

import asyncpg
import pytest

from tests.kafka.gateway.running import GOOD, PROFILE, Json, Running

pytestmark = pytest.mark.asyncio(loop_scope="session")

ID = {"Request-ID": "order-1"}
ENTRY = {"profile_id": PROFILE}
BAD = {"error": 400, "error_text": "Incorrect object"}
SETTLED = "SELECT to_jsonb(b) - 'accepting_until' - 'published_at' FROM batches b"
EXPIRE = "UPDATE batches SET accepting_until = now() - interval '1 microsecond'"


async def left_behind(world: Running, headers: dict[str, str], **body: Any) -> tuple[asyncio.Task[int], str]:
    """A call whose gateway goes no further, and whose lease is over; with the batch that it left."""

    async def send() -> int:
        return (await world.send(headers, **body)).status_code

    call = asyncio.create_task(send())
    task = await world.task()
    await world.pool.execute(EXPIRE)
    return call, task


@pytest.mark.promise("P-REQID-11")
async def test_the_repeat_publishes_what_is_missing_as_the_first_try_settled_it(frozen: Running, patient: Running) -> None:
    items: list[Json | int] = [5, GOOD, GOOD, GOOD]
    call, task = await left_behind(frozen, ID, data=items)
    await frozen.answer_item(task, 1)
    settled = await frozen.pool.fetchval(SETTLED)
    async with patient.answering():
        repeat = await patient.send(ID, data=items)
    published = await patient.published(task, count=2)

    assert (repeat.status_code, repeat.json()["result"]) == (200, [BAD, ENTRY, ENTRY, ENTRY])
    assert repeat.headers["duplicate-request"] == "true"
    assert sorted(dict(record.headers)["item"] for record in published) == [b"2", b"3"]
    assert await frozen.pool.fetchval(SETTLED) == settled
    call.cancel()


@pytest.mark.promise("P-REQID-11")
async def test_what_has_changed_since_does_not_keep_it_from_being_completed(frozen: Running, patient: Running) -> None:
    body: Json = {"matching": "custom", "field_name": "crm", "data": [{"data": {"crm": "1"}}]}
    changed = "UPDATE triggers SET active = $1 WHERE number = 8"
    unmatchable = "UPDATE databases SET fields = jsonb_set(fields, '{crm,match}', $1::jsonb) WHERE fields ? 'crm'"
    call, _ = await left_behind(frozen, ID, **body)
    await frozen.pool.execute(changed, False)
    await frozen.pool.execute(unmatchable, "false")
    try:
        async with patient.answering():
            repeat = await patient.send(ID, **body)
    finally:
        await frozen.pool.execute(changed, True)
        await frozen.pool.execute(unmatchable, "true")

    assert (repeat.status_code, repeat.json()["result"]) == (200, [ENTRY])
    call.cancel()


@pytest.mark.promise("P-REQID-11")
async def test_a_gateway_that_was_only_frozen_answers_right_and_breaks_nothing(frozen: Running, patient: Running) -> None:
    call, task = await left_behind(frozen, ID, data=[GOOD, GOOD])
    async with patient.answering():
        repeat = await patient.send(ID, data=[GOOD, GOOD])
        noted = await patient.pool.fetchval("SELECT published_at FROM batches")
        frozen.broker.set()
        first = await call
    twice = Counter(dict(record.headers)["item"] for record in await patient.published(task, count=4))

    assert (first, repeat.status_code) == (200, 200)
    assert twice == {b"0": 2, b"1": 2}
    assert await patient.pool.fetchval("SELECT published_at FROM batches") == noted


@pytest.mark.promise("P-REQID-04", "P-REQID-11")
async def test_of_many_repeats_one_takes_over(frozen: Running, hasty: Running) -> None:
    call, task = await left_behind(frozen, ID)
    # All have seen that the lease is over before the first may take it.
    async with hasty.pool.acquire() as connection:
        transaction = connection.transaction()
        await transaction.start()
        await connection.execute("SELECT FROM batches FOR UPDATE")
        repeats = [asyncio.create_task(hasty.send(ID)) for _ in range(4)]
        await hasty.soon("SELECT count(*) = 4 FROM pg_locks WHERE NOT granted AND pid <> pg_backend_pid()")
        await transaction.rollback()
    answers = Counter([(await repeat).status_code for repeat in repeats])
    call.cancel()

    assert answers == {202: 1, 409: 3}
    assert len(await hasty.published(task, count=1)) == 1


@pytest.mark.promise("P-REQID-11")
async def test_a_repeat_that_comes_as_the_first_gateway_ends_its_publishing_does_nothing(frozen: Running, hasty: Running) -> None:
    call, _ = await left_behind(frozen, ID)
    async with hasty.pool.acquire() as connection, connection.transaction():
        await connection.execute("UPDATE batches SET published_at = now()")
        repeat = asyncio.create_task(hasty.send(ID))
        await hasty.soon("SELECT true FROM pg_stat_activity WHERE $1 = ANY(pg_blocking_pids(pid))", connection.get_server_pid())
    answer = await repeat
    call.cancel()

    assert answer.status_code == 409


async def test_an_expired_lease_of_a_published_batch_is_no_reason_to_publish_again(hasty: Running) -> None:
    await hasty.send(ID)
    noted: asyncpg.Record = await hasty.soon("SELECT published_at FROM batches")
    await hasty.pool.execute(EXPIRE)
    repeat = await hasty.send(ID)

    assert repeat.status_code == 202
    assert await hasty.pool.fetchval("SELECT (published_at, accepting_until < now()) FROM batches") == (noted, True)


@pytest.mark.promise("P-REQID-11")
async def test_an_item_that_is_not_good_any_more_is_answered_so_that_its_batch_ends(frozen: Running, patient: Running) -> None:
    body: Json = {"matching": "custom", "field_name": "crm", "data": [{"data": {"crm": text}} for text in ("1", "one", "two")]}
    retyped = "UPDATE databases SET fields = jsonb_set(fields, '{crm,type}', $1::jsonb) WHERE fields ? 'crm'"
    call, task = await left_behind(frozen, ID, **body)
    # It was published after all, and matched.
    await frozen.answer_item(task, 2)
    await frozen.pool.execute(retyped, '"int"')
    try:
        async with patient.answering():
            repeat = await patient.send(ID, **body)
            status = await patient.status(task)
    finally:
        await frozen.pool.execute(retyped, '"string"')

    assert repeat.json()["result"] == [ENTRY, {"error": 400, "error_text": "Incorrect number", "field": "crm"}, ENTRY]
    assert (status["status"], status["result"]["imported"], status["result"]["failed"]) == ("completed", 2, 1)
    call.cancel()
