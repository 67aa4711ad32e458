"""A request that is repeated with its Request-ID is answered, and not run again."""

import asyncio
import gzip
import json

import httpx2
import pytest

from ingest.endpoints import cancelling
from runtime.kafka import BrokerUnavailable
from tests.kafka.gateway.running import BATCH, GOOD, PROFILE, TOKEN, Json, Running

pytestmark = pytest.mark.asyncio(loop_scope="session")

ID = {"Request-ID": "order-1"}
REPEAT = {"duplicate-request": "true", "duplicate-key": "order-1"}


async def batches(world: Running) -> int:
    return int(await world.pool.fetchval("SELECT count(*) FROM batches"))


def marks(answer: httpx2.Response) -> dict[str, str]:
    return {name: value for name, value in answer.headers.items() if name.startswith("duplicate-")}


@pytest.mark.promise("P-REQID-02", "P-REQID-06")
async def test_a_repeat_of_a_finished_request_gets_the_stored_answer(patient: Running) -> None:
    async with patient.answering():
        first = await patient.send(ID)
        repeat = await patient.send(ID)

    assert first.json()["result"] == [{"profile_id": PROFILE}]
    assert (repeat.status_code, repeat.json()) == (200, first.json())
    assert (marks(first), marks(repeat)) == ({}, REPEAT)
    assert await batches(patient) == 1


@pytest.mark.promise("P-REQID-02", "P-REQID-03", "P-BATCH-19")
async def test_a_repeat_of_an_unfinished_request_waits_for_it_and_has_the_answer_later(hasty: Running) -> None:
    first = await hasty.send(ID)
    second = await hasty.send(ID)
    async with hasty.answering():
        third = await hasty.send(ID)

    assert (first.status_code, first.json()["error_text"]) == (202, "Accepted, still processing")
    assert (second.status_code, second.json(), marks(second)) == (202, first.json(), REPEAT)
    assert (third.status_code, third.json()["result"]) == (200, [{"profile_id": PROFILE}])


@pytest.mark.promise("P-REQID-04")
async def test_a_repeat_during_the_publishing_is_told_to_come_back(brokerless: Running) -> None:
    async with asyncio.TaskGroup() as tasks, brokerless.answering():
        first = tasks.create_task(brokerless.send(ID))
        await brokerless.task()
        repeat = await brokerless.send(ID)
        brokerless.broker.set()
        await first

    assert (repeat.status_code, repeat.json()["error_text"]) == (409, "Conflict")
    assert int(repeat.headers["retry-after"]) > 0
    assert first.result().status_code == 200


@pytest.mark.promise("P-REQID-04")
async def test_a_repeat_during_the_publishing_is_told_so_where_nothing_new_is_taken(
    brokerless: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with asyncio.TaskGroup() as tasks, brokerless.answering():
        first = tasks.create_task(brokerless.send(ID))
        monkeypatch.setattr("ingest.publish.producer.UNCONFIRMED_FOR", 0.0)
        await _until_nothing_new_is_taken(brokerless)
        refused, repeat = await brokerless.send(), await brokerless.send(ID)
        brokerless.broker.set()
        await first

    assert (refused.status_code, repeat.status_code) == (503, 409)


async def _until_nothing_new_is_taken(world: Running) -> None:
    async with asyncio.timeout(20):
        while _takes_more(world):
            await asyncio.sleep(0.02)


def _takes_more(world: Running) -> bool:
    try:
        world.gateway._producer.check()
    except BrokerUnavailable:
        return False
    return True


@pytest.mark.promise("P-REQID-04")
async def test_of_two_at_the_same_moment_only_one_is_run(hasty: Running) -> None:
    answers = await asyncio.gather(*[hasty.send(ID) for _ in range(8)])

    assert {answer.status_code for answer in answers} <= {202, 409}
    assert await batches(hasty) == 1


@pytest.mark.promise("P-REQID-04")
async def test_the_reservation_is_renewed_while_the_publishing_lasts(brokerless: Running) -> None:
    async with asyncio.TaskGroup() as tasks, brokerless.answering():
        first = tasks.create_task(brokerless.send(ID))
        before = await brokerless.soon("SELECT accepting_until FROM batches")
        renewed = await brokerless.soon("SELECT accepting_until FROM batches WHERE accepting_until > $1", before)
        brokerless.broker.set()
        await first

    assert renewed > before


@pytest.mark.promise("P-REQID-05")
async def test_the_same_id_with_another_body_is_refused(hasty: Running) -> None:
    await hasty.send(ID)
    other = await hasty.send(ID, skip_triggers=True)

    assert (other.status_code, other.json()["error_text"]) == (422, "Request-ID reused")


@pytest.mark.promise("P-REQID-05", "P-HTTP-01")
async def test_compression_and_a_trailing_slash_make_no_other_request(hasty: Running) -> None:
    body = json.dumps({"token": TOKEN, "trigger_id": 8, "data": [GOOD]}).encode()
    first = await hasty.raw(BATCH, body, ID)
    repeat = await hasty.raw(BATCH + "/", gzip.compress(body), ID | {"Content-Encoding": "gzip"})

    assert (repeat.status_code, repeat.json()) == (202, first.json())


@pytest.mark.promise("P-REQID-07")
async def test_two_tokens_may_use_the_same_id(hasty: Running) -> None:
    await hasty.send(ID)
    other = await hasty.send(ID, token="second-token")

    assert (other.status_code, marks(other)) == (202, {})
    assert await batches(hasty) == 2


@pytest.mark.promise("P-REQID-08")
async def test_a_refused_request_leaves_its_id_free(hasty: Running) -> None:
    mistakes: list[Json] = [{"trigger_id": 1234}, {"token": "nobody"}, {"data": []}, {"token": "reader-token"}]
    for refused in mistakes:
        assert (await hasty.send(ID, **refused)).status_code in (400, 401, 403, 404)
    accepted = await hasty.send(ID)

    assert (accepted.status_code, marks(accepted)) == (202, {})


@pytest.mark.promise("P-REQID-09")
async def test_an_id_is_kept_for_a_day_and_free_afterwards(hasty: Running) -> None:
    await hasty.send(ID)
    kept = await hasty.pool.fetchval("SELECT expires_at - now() FROM requests")
    await hasty.pool.execute("UPDATE requests SET expires_at = now()")
    later = await hasty.send(ID, skip_triggers=True)

    assert 23.9 < kept.total_seconds() / 3600 <= 24
    assert (later.status_code, marks(later)) == (202, {})
    assert await batches(hasty) == 2


@pytest.mark.promise("P-REQID-10")
async def test_without_an_id_nothing_is_a_repeat(hasty: Running) -> None:
    await asyncio.gather(hasty.send(), hasty.send())

    assert await batches(hasty) == 2


@pytest.mark.promise("P-REQID-01")
@pytest.mark.parametrize("wrong", ["", "two words", "x" * 129])
async def test_a_malformed_id_is_refused(hasty: Running, wrong: str) -> None:
    answer = await hasty.send({"Request-ID": wrong})

    assert (answer.status_code, answer.json()["error_debug"]) == (400, "Request-ID: must be 1 to 128 visible ASCII characters")


@pytest.mark.promise("P-REQID-12")
@pytest.mark.parametrize("headers", [{"Idempotency-Key": "order-1"}, {"Idempotency-Key": "order-1", **ID}])
async def test_an_idempotency_key_is_a_request_id(patient: Running, headers: dict[str, str]) -> None:
    async with patient.answering():
        first = await patient.send(ID)
        repeat = await patient.send(headers)

    assert (repeat.json(), marks(repeat)) == (first.json(), REPEAT)


@pytest.mark.promise("P-REQID-12")
@pytest.mark.parametrize(
    ("headers", "named"),
    [
        ([("Request-ID", "a"), ("Request-ID", "b")], "Request-ID: given twice"),
        ([("Idempotency-Key", "a"), ("Idempotency-Key", "b")], "Idempotency-Key: given twice"),
        ([("Request-ID", "a"), ("Idempotency-Key", "b")], "Request-ID and Idempotency-Key differ"),
        ([("Idempotency-Key", "a b")], "Idempotency-Key: must be"),
    ],
)
async def test_ids_that_differ_are_refused_by_their_headers(hasty: Running, headers: list[tuple[str, str]], named: str) -> None:
    body = json.dumps({"token": TOKEN, "trigger_id": 8, "data": [GOOD]}).encode()
    answer = await hasty.client.post(f"{hasty.gateway.url}/api/v1.1/{BATCH}", content=body, headers=headers)

    assert (answer.status_code, answer.json()["error_text"]) == (400, "Invalid request")
    assert answer.json()["error_debug"].startswith(named)
    assert await batches(hasty) == 0


@pytest.mark.promise("P-REQID-13", "P-REQID-06", "P-HTTP-34")
async def test_a_repeat_of_a_cancel_is_told_what_the_first_took_back(hasty: Running) -> None:
    asked = await hasty.pool.fetchval("SELECT count(*) FROM cancels")
    first, repeat = [await hasty.post("campaigns/triggers/cancel", ID, trigger_id=8) for _ in range(2)]

    assert (first.status_code, marks(first)) == (200, {})
    assert (repeat.json(), marks(repeat)) == (first.json(), REPEAT)
    assert await hasty.pool.fetchval("SELECT count(*) FROM cancels") == asked + 1


@pytest.mark.promise("P-REQID-13", "P-REQID-04")
async def test_a_cancel_that_is_repeated_while_it_is_done_is_done_once(hasty: Running) -> None:
    asked = await hasty.pool.fetchval("SELECT count(*) FROM cancels")
    name = {"Request-ID": "order-at-once"}
    answers = await asyncio.gather(*(hasty.post("campaigns/triggers/cancel", name, trigger_id=8) for _ in range(8)))
    repeat = await hasty.post("campaigns/triggers/cancel", name, trigger_id=8)

    assert await hasty.pool.fetchval("SELECT count(*) FROM cancels") == asked + 1
    assert [answer.status_code for answer in answers].count(200) == 1 + [marks(answer) for answer in answers].count(marks(repeat))
    assert {answer.status_code for answer in answers} <= {200, 409}
    assert all("Retry-After" in answer.headers for answer in answers if answer.status_code == 409)


_UNDER_WAY = """
INSERT INTO launches (batch, trigger, attempt, first_item, due_at, run_at, chunk, items, profiles, done, account)
SELECT id, trigger, 0, 0, now(), now() + interval '1 minute', 0, ARRAY[0], $1, B'0', account FROM batches
"""


async def _waiting(world: Running, name: str) -> None:
    """Until a cancel under this id is done, and only waits for the launchers."""
    await world.soon("SELECT count(*) FROM requests WHERE request_id = $1 AND answer IS NOT NULL", name)


@pytest.mark.promise("P-HTTP-34", "P-REQID-13")
async def test_a_cancel_is_answered_to_nobody_before_the_launchers_know(hasty: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(cancelling, "KNOWN_WITHIN", 2.0)
    await hasty.send()
    await hasty.pool.execute(_UNDER_WAY, bytes(12))
    name = {"Request-ID": "order-under-way"}
    async with asyncio.TaskGroup() as tasks:
        first = tasks.create_task(hasty.post("campaigns/triggers/cancel", name, trigger_id=8))
        await _waiting(hasty, "order-under-way")
        waited = not first.done()
        repeat = await hasty.post("campaigns/triggers/cancel", name, trigger_id=8)
        known = first.done()

    assert (waited, known) == (True, True)
    assert (repeat.json(), marks(repeat)) == (first.result().json(), {**REPEAT, "duplicate-key": "order-under-way"})


@pytest.mark.promise("P-REQID-13")
async def test_a_cancel_whose_gateway_dies_while_it_waits_for_the_launchers_is_done_once(
    hasty: Running, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Of which the others see that it never comes back: two minutes later nobody has the id, unless it has its answer."""
    monkeypatch.setattr(cancelling, "KNOWN_WITHIN", 2.0)
    await hasty.send()
    await hasty.pool.execute(_UNDER_WAY, bytes(12))
    asked, name = await hasty.pool.fetchval("SELECT count(*) FROM cancels"), {"Request-ID": "order-killed"}
    async with asyncio.TaskGroup() as tasks:
        first = tasks.create_task(hasty.post("campaigns/triggers/cancel", name, trigger_id=8))
        await _waiting(hasty, "order-killed")
        waited = not first.done()
        await hasty.pool.execute("UPDATE requests SET expires_at = expires_at - interval '3 minutes' WHERE request_id = 'order-killed'")
        repeat = await hasty.post("campaigns/triggers/cancel", name, trigger_id=8)

    assert (waited, repeat.status_code) == (True, 200)
    assert await hasty.pool.fetchval("SELECT count(*) FROM cancels") == asked + 1


@pytest.mark.promise("P-REQID-08")
async def test_the_id_of_a_cancel_that_was_refused_is_free(hasty: Running) -> None:
    name = {"Request-ID": "order-nobody"}
    refused = await hasty.post("campaigns/triggers/cancel", name, trigger_id=77)

    assert refused.status_code == 404
    assert (await hasty.post("campaigns/triggers/cancel", name, trigger_id=8)).status_code == 200


@pytest.mark.promise("P-REQID-13")
async def test_an_id_that_nobody_finished_with_is_free_after_a_while(hasty: Running) -> None:
    name = {"Request-ID": "order-died"}
    await hasty.post("campaigns/triggers/cancel", name, trigger_id=8)
    await hasty.pool.execute("UPDATE requests SET answer = NULL WHERE request_id = 'order-died'")
    held = await hasty.post("campaigns/triggers/cancel", name, trigger_id=8)
    await hasty.pool.execute("UPDATE requests SET expires_at = now() WHERE request_id = 'order-died'")

    assert held.status_code == 409
    assert (await hasty.post("campaigns/triggers/cancel", name, trigger_id=8)).status_code == 200
