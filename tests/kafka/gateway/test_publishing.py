"""What the gateway hands on, and when it answers for it."""

import asyncio
from datetime import timedelta

import pytest

from schemas.messages import ProfileImport
from schemas.topics import partition
from tests.kafka.gateway.running import GOOD, Json, Running

pytestmark = pytest.mark.asyncio(loop_scope="session")


@pytest.mark.promise("P-OPS-01")
async def test_every_good_item_becomes_one_message_that_its_headers_name(hasty: Running) -> None:
    items: list[Json] = [
        {"data": {"email": f"ann-{number}@good.test", "n": number}, "custom_data": {"row": number}} for number in range(50)
    ]
    task = (await hasty.send(data=[*items, {"data": {}}])).json()["data"]["task_id"]
    records = sorted(await hasty.published(task, count=50), key=lambda record: dict(record.headers)["item"].zfill(3))
    messages = [ProfileImport.decode(record.value) for record in records]

    assert [dict(record.headers) for record in records] == [{"batch": task.encode(), "item": b"%d" % item} for item in range(50)]
    assert messages == [
        ProfileImport(batch=task, item=number, value=item["data"]["email"], data=item["data"], custom_data=item["custom_data"])
        for number, item in enumerate(items)
    ]
    assert all(record.partition == partition(record.key, hasty.settings.partitions) for record in records)


@pytest.mark.promise("P-MATCH-17")
async def test_all_modes_of_an_address_share_one_key(hasty: Running) -> None:
    item = {"email": " Ann@Good.test", "data": {}}
    tasks = [(await hasty.send(matching=mode, data=[item])).json()["data"]["task_id"] for mode in ("email", "email_profile")]
    records = await hasty.published(*tasks, count=2)

    assert len({record.key for record in records}) == 1


@pytest.mark.promise("P-BATCH-19")
async def test_at_the_deadline_a_published_batch_is_a_202_and_goes_on(hasty: Running) -> None:
    answer = await hasty.send()
    task = answer.json()["data"]["task_id"]

    assert (answer.status_code, answer.json()) == (
        202,
        {"data": {"task_id": task}, "error": 0, "error_text": "Accepted, still processing"},
    )
    assert (await hasty.status(task))["status"] == "running"


@pytest.mark.promise("P-BATCH-20", "P-HTTP-24")
async def test_at_the_deadline_an_unpublished_batch_is_a_503(hasty_brokerless: Running) -> None:
    answer = await hasty_brokerless.send()

    assert (answer.status_code, answer.json()) == (503, {"error": 503, "error_text": "Temporarily unavailable"})
    assert int(answer.headers["retry-after"]) > 0


async def test_a_client_that_hangs_up_does_not_stop_the_publishing(brokerless: Running) -> None:
    request = asyncio.create_task(brokerless.send())
    await brokerless.task()
    request.cancel()
    await asyncio.wait([request])
    brokerless.broker.set()

    assert await brokerless.soon("SELECT published_at FROM batches")


async def test_what_failed_at_the_door_alone_is_answered_without_a_matcher(patient: Running) -> None:
    answer = await patient.send(data=[{"data": {}}, 5])

    assert answer.json()["result"] == [
        {"error": 400, "error_text": "No match value", "field": "email"},
        {"error": 400, "error_text": "Incorrect object"},
    ]


@pytest.mark.promise("P-BATCH-08", "P-LAUNCH-03")
@pytest.mark.parametrize(
    ("given", "wait"),
    [
        ({}, timedelta(minutes=7)),
        ({"timeout": None}, timedelta(minutes=7)),
        ({"timeout": {}}, timedelta()),
        ({"timeout": {"days": 0, "hours": 0}}, timedelta()),
        ({"timeout": {"days": 1, "hours": 25, "minutes": 61}}, timedelta(days=2, hours=2, minutes=1)),
    ],
)
async def test_a_batch_is_due_at_acceptance_plus_timeout(patient: Running, given: Json, wait: timedelta) -> None:
    await patient.send(**given, data=[5])
    row = await patient.pool.fetchrow("SELECT accepted_at, due_at FROM batches")

    assert row["due_at"] - row["accepted_at"] == wait


@pytest.mark.promise("P-MATCH-17")
async def test_the_order_of_an_address_is_kept_in_a_batch_and_across_batches(patient: Running) -> None:
    async with patient.answering():
        for first in (0, 10):
            await patient.send(data=[{"data": GOOD["data"] | {"n": number}} for number in range(first, first + 10)])
    tasks = [row["id"].hex() for row in await patient.pool.fetch("SELECT id FROM batches")]
    records = await patient.published(*tasks, count=20)

    assert [ProfileImport.decode(record.value).data["n"] for record in records] == list(range(20))
