"""A gateway that has enough to do says so."""

import asyncio
import gc
import json
import tracemalloc
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import timedelta

import httpx2
import pytest
import pytest_asyncio

from ingest.starting import NotMigrated, open_gateway
from profuse.applying import apply
from profuse.migrating.tables import alone, downgrade
from schemas.settings import Settings
from schemas.topics import IMPORTS
from tests.kafka.gateway.running import GOOD, PROFILE, TASK, TOKEN, Json, Running, running
from tests.kafka.gateway.test_completion import left_behind

pytestmark = pytest.mark.asyncio(loop_scope="session")

ID = {"Request-ID": "order-1"}
ALL_ANSWERED = """
WITH answered AS (
    INSERT INTO results (batch, chunk, items, profiles, errors, custom_data) VALUES ($1, 0, $2::int[], $3, '{}', '{}')
    RETURNING batch, items
)
UPDATE batch_progress SET done = repeat('1', cardinality(items))::varbit, imported = cardinality(items)
FROM answered WHERE batch_progress.batch = answered.batch
"""
TOKEN_FILE = '[[accounts]]\nid = 1\nname = "demo"\ntokens = [{{ name = "producer"{} }}]\n'


@pytest_asyncio.fixture(loop_scope="session")
async def narrow(configured: Settings) -> AsyncIterator[Running]:
    """Takes ten profiles at a time."""
    async with running(configured.model_copy(update={"in_flight_limit": 10})) as world:
        yield world
        await world.forget()


@pytest_asyncio.fixture(loop_scope="session")
async def fair(configured: Settings) -> AsyncIterator[Running]:
    """Lets a hundred profiles of one token wait."""
    async with running(configured.model_copy(update={"token_in_flight_limit": 100})) as world:
        yield world
        await world.forget()


@asynccontextmanager
async def slow_matchers(world: Running) -> AsyncIterator[None]:
    """As if the matchers got on by a few profiles at a time."""
    topic = world.settings.topic(IMPORTS.name)
    advance = "UPDATE progress SET position = least(position + 20, $3) WHERE topic = $1 AND partition = $2"

    async def match() -> None:
        while True:
            for partition, end in enumerate(await world.ends.read()):
                await world.pool.execute(advance, topic, partition, end)
            await asyncio.sleep(0.05)

    async with asyncio.TaskGroup() as tasks:
        matching = tasks.create_task(match())
        yield
        matching.cancel()


@asynccontextmanager
async def too_much_of_one_token(world: Running) -> AsyncIterator[tuple[httpx2.Response, asyncio.Task[httpx2.Response]]]:
    """The answer that its token gets then, and the call that waits."""
    await catch_up(world)
    async with slow_matchers(world), asyncio.timeout(60):
        large = asyncio.create_task(world.send(path=TASK, data=[GOOD] * 3_000))
        await world.task()
        yield await world.send(path=TASK), large
        await large


async def catch_up(world: Running) -> None:
    """As if the matchers had done everything."""
    topic = world.settings.topic(IMPORTS.name)
    for partition, end in enumerate(await world.ends.read()):
        await world.pool.execute("UPDATE progress SET position = $3 WHERE topic = $1 AND partition = $2", topic, partition, end)


async def admitted(world: Running, items: int) -> httpx2.Response:
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


@pytest.mark.promise("P-HTTP-38")
async def test_a_token_at_its_limit_is_sent_away_while_another_one_is_served(fair: Running) -> None:
    async with too_much_of_one_token(fair) as (refused, large):
        other = await fair.send(path=TASK, token="second-token")
        waited = not large.done()

    debug = "token: its limit is 100 profiles that wait"
    assert refused.json() == {"error": 429, "error_debug": debug, "error_text": "Too many requests"}
    assert int(refused.headers["retry-after"]) > 0
    assert (other.status_code, waited) == (200, True)


@pytest.mark.promise("P-APPLY-03", "P-APPLY-12")
async def test_a_limit_that_was_applied_is_the_one_of_the_next_request(fair: Running) -> None:
    async with too_much_of_one_token(fair) as (_, large):
        await apply(fair.settings, TOKEN_FILE.format(", in_flight = 5000"))
        admitted = asyncio.create_task(fair.send(ID, path=TASK))
        await fair.soon("SELECT 1 FROM requests")
        waited = not large.done()
        await apply(fair.settings, TOKEN_FILE.format(""))

    assert (waited, (await admitted).status_code) == (True, 200)


async def test_a_gateway_on_old_tables_says_what_to_run(migrated: Settings) -> None:
    async with alone(migrated) as connection:
        await downgrade(connection, "-1")
    async with open_gateway(migrated) as gateway:
        with pytest.raises(NotMigrated, match="old: run `profuse migrate`"):
            await gateway.run(asyncio.Event())


@pytest.mark.promise("P-OPS-17")
async def test_a_match_value_that_all_items_repeat_is_counted_as_often(configured: Settings) -> None:
    async with running(configured.model_copy(update={"bodies_limit": 2 * 1024 * 1024})) as world:
        items: list[Json] = [{"data": {}}] * 2_000
        answer = await world.send(path=TASK, matching="custom", field_name="crm", field_value="x" * 1_024, data=items)

    assert (answer.status_code, answer.json()["error_debug"]) == (400, "data: more than 2097152 bytes of messages")


def held_by_ingest() -> int:
    """Bytes, since memory is traced."""
    traces = tracemalloc.take_snapshot().statistics("filename")
    return sum(trace.size for trace in traces if "/ingest/" in trace.traceback[0].filename)


@pytest.mark.promise("P-OPS-17")
async def test_who_waits_for_an_answer_holds_nothing_of_what_was_sent(patient: Running) -> None:
    data = [{"data": {"email": "a@b.test", "crm": "x" * 200_000}}] * 20
    tracemalloc.start()
    call = asyncio.create_task(patient.send(data=data))
    task = await patient.task()
    await patient.soon("SELECT 1 FROM batches WHERE published_at IS NOT NULL AND id = $1", bytes.fromhex(task))
    # It was noted as published a moment before its records were let go.
    async with asyncio.timeout(20):
        while held_by_ingest() >= 1_000_000:
            await asyncio.sleep(0)
    tracemalloc.stop()

    assert not call.done()
    call.cancel()


@pytest.mark.promise("P-OPS-17")
@pytest.mark.parametrize("token", ["nobody", "reader-token", "", 5])
async def test_who_is_refused_leaves_nothing_behind(hasty: Running, token: object) -> None:
    body = json.dumps({"token": token, "trigger_id": 8, "data": [{"data": {"crm": "x" * 200_000}}]}).encode()
    tracemalloc.start()
    for _ in range(20):
        await hasty.raw(TASK, body)
    gc.collect()
    held = held_by_ingest()
    tracemalloc.stop()

    assert held < 400_000


@pytest.mark.promise("P-HTTP-42", "P-OPS-17")
async def test_large_bodies_that_come_at_once_get_through_as_many_as_fit(configured: Settings) -> None:
    size, count = 1_000_000, 8
    file = {"name": "a.bin", "data": "data:;base64," + "A" * size}
    body = json.dumps({"token": TOKEN, "trigger_id": 8, "data": [GOOD], "attach": file}).encode()
    half = asyncio.Barrier(count)

    async def sent() -> AsyncIterator[bytes]:
        """Nobody is far ahead: each has as much there as the others when all of them need more."""
        yield body[: size // 2]
        await half.wait()
        yield body[size // 2 :]

    async with running(configured.model_copy(update={"bodies_limit": count * size // 2, "body_limit": size // 10})) as world:
        answers = await asyncio.gather(*(world.raw(TASK, sent()) for _ in range(count)))
        alone = await world.raw(TASK, body)

    # Two of them fit, with their files beside them; and one token has half of all.
    assert {answer.status_code for answer in answers} == {200, 429}
    assert alone.status_code == 200


@pytest.mark.promise("P-OPS-17")
async def test_a_long_list_of_results_is_counted_as_what_it_takes(configured: Settings, patient: Running) -> None:
    going_on = asyncio.Event()

    async def half_sent() -> AsyncIterator[bytes]:
        yield b" " * 100_000
        await going_on.wait()

    call = asyncio.create_task(patient.send(ID, data=[GOOD] * 500))
    # Others' batches may be there.
    batch = await patient.soon("SELECT id FROM batches WHERE total = 500 ORDER BY accepted_at DESC LIMIT 1")
    task = batch.hex()
    await patient.pool.execute(ALL_ANSWERED, batch, list(range(500)), bytes.fromhex(PROFILE) * 500)
    first = await call
    async with running(configured.model_copy(update={"bodies_limit": 250_000, "client_patience": timedelta(minutes=1)})) as world:
        holding = asyncio.create_task(world.raw(TASK, half_sent()))
        async with asyncio.timeout(20):
            while (shown := await world.post("tasks/status", task_id=task)).status_code == 200:
                pass
        few = await world.post("tasks/status", task_id=task, limit=10)
        repeated = await world.send(ID, data=[GOOD] * 500)
        going_on.set()
        await holding
        later = await world.send(ID, data=[GOOD] * 500)

    assert (shown.status_code, few.status_code) == (429, 200)
    # It was accepted, so nobody is asked to send it again.
    assert (repeated.status_code, repeated.json()["data"]) == (202, {"task_id": task})
    assert later.json() == first.json()


@pytest.mark.promise("P-OPS-14")
async def test_positions_of_other_partitions_are_a_gateway_that_is_not_ready(hasty: Running, capfd: pytest.CaptureFixture[str]) -> None:
    topic = hasty.settings.topic(IMPORTS.name)
    await hasty.pool.execute("INSERT INTO progress (topic, partition, position) VALUES ($1, 99, 0)", topic)
    logged = ""
    try:
        problems = await hasty.gateway.ready()
        async with asyncio.timeout(10):
            while "PartitionsChanged" not in logged:
                await asyncio.sleep(0.02)
                logged += capfd.readouterr().out
    finally:
        await hasty.pool.execute("DELETE FROM progress WHERE partition = 99")

    assert [problem.partition(":")[0] for problem in problems] == ["progress has 5 partitions of imports instead of 4"]
    assert (await hasty.gateway.ready(), (await hasty.send(path=TASK)).status_code) == ([], 200)
