"""What comes at the same time is asked of the database together, and each still gets its own answer."""

import asyncio
import json
import secrets

import pytest

from ingest.sql import accounts, batches
from ingest.sql.accounts import Token
from tests.kafka.gateway.running import GOOD, TASK, TOKEN, Running

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.promise("P-REQID-04", "P-REQID-10")
async def test_one_id_that_comes_often_at_once_is_accepted_once(patient: Running) -> None:
    name = secrets.token_hex(8)
    others = [patient.send(path=TASK) for _ in range(8)]
    answers = await asyncio.gather(*(patient.send({"Request-ID": name}, path=TASK) for _ in range(8)), *others)
    tasks = {answer.json()["data"]["task_id"] for answer in answers[:8] if answer.status_code == 200}

    assert {answer.status_code for answer in answers[:8]} <= {200, 409}
    assert len(tasks) == 1
    assert [answer.status_code for answer in answers[8:]] == [200] * 8
    assert await patient.pool.fetchval("SELECT count(*) FROM requests WHERE request_id = $1", name) == 1


@pytest.mark.promise("P-HTTP-16", "P-HTTP-21")
async def test_each_token_is_its_own_among_others(patient: Running) -> None:
    tokens = [TOKEN, "unknown", "second-token", "reader-token", "other-token", "", TOKEN] * 4
    bodies = [json.dumps({"token": token, "trigger_id": 8, "data": [GOOD]}).encode() for token in tokens]
    answers = await asyncio.gather(*(patient.raw(TASK, body) for body in bodies))

    assert [answer.status_code for answer in answers] == [200, 401, 200, 403, 404, 401, 200] * 4


async def test_what_is_looked_up_together_is_answered_in_order(patient: Running) -> None:
    async with patient.pool.acquire() as connection:
        found = await accounts.find_tokens(connection, ["unknown", TOKEN, "other-token", TOKEN])
        triggers = await accounts.find_triggers(connection, [(2, 8), (1, 8), (2, 99), (1, 10**12)])  # type: ignore[list-item]

    assert [each.account if isinstance(each, Token) else None for each in found] == [None, 1, 2, 1]
    assert [None if row is None else (row["account"], row["number"]) for row in triggers] == [None, (1, 8), (2, 99), None]


@pytest.mark.promise("P-BATCH-06", "P-OPS-50")
async def test_a_batch_that_cannot_be_stored_fails_alone(patient: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    row = batches._row
    # The table knows that an import has no campaign.
    monkeypatch.setattr(batches, "_row", lambda batch: (*row(batch)[:5], "import" if batch.total == 2 else row(batch)[5], *row(batch)[6:]))
    sent = [patient.send(path=TASK, data=[GOOD] * (2 if number == 3 else 1)) for number in range(6)]
    answers = await asyncio.gather(*sent)

    assert [answer.status_code for answer in answers] == [200, 200, 200, 503, 200, 200]


@pytest.mark.promise("P-BATCH-03", "P-BATCH-05")
async def test_small_and_large_batches_that_end_at_once_are_answered_in_full(patient: Running) -> None:
    bad = {"data": {"email": "no address"}}
    async with patient.answering():
        small, large = await asyncio.gather(patient.send(data=[bad, GOOD, bad]), patient.send(data=[GOOD, bad] * 100))

    assert [sorted(entry) for entry in small.json()["result"]] == [
        ["error", "error_text", "field"],
        ["profile_id"],
        ["error", "error_text", "field"],
    ]
    assert ["profile_id" in entry for entry in large.json()["result"]] == [True, False] * 100
