"""What is refused before anybody looks at the parameters, and the pages beside the API."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx2
import pytest

from ingest.endpoints.registry import ENDPOINTS
from tests.kafka.gateway.running import BATCH, GOOD, TASK, TOKEN, Json, Running

pytestmark = pytest.mark.asyncio(loop_scope="session")

MIB = 1024 * 1024
TOO_LARGE = b'{"error":400,"error_debug":"http: request body too large","error_text":"Invalid request"}'


def body(**changes: object) -> bytes:
    return json.dumps({"trigger_id": 8, "data": [5], **changes}).encode()


@pytest.mark.promise("P-HTTP-22", "P-HTTP-01")
async def test_what_is_not_served_gets_the_envelope_too(hasty: Running) -> None:
    url = f"{hasty.gateway.url}/api/v1.1/"
    answers = [
        await hasty.client.post(url + "campaigns/nothing"),
        await hasty.client.get(hasty.gateway.url),
        await hasty.client.get(url + BATCH),
        await hasty.client.put(url + BATCH + "/"),
        await hasty.raw(BATCH, b"{}", {"Content-Encoding": "br"}),
    ]

    assert [(answer.status_code, answer.json()["error"]) for answer in answers] == [(code, code) for code in (404, 404, 405, 405, 415)]
    assert all("error_text" in answer.json() for answer in answers)


@pytest.mark.promise("P-HTTP-27", "P-HTTP-22")
async def test_a_bearer_token_is_known_before_anything_else_is_refused(hasty: Running) -> None:
    compressed = [
        await hasty.raw(BATCH, b"{}", {"Content-Encoding": "br", "Authorization": f"Bearer {token}"})
        for token in ("nobody", "original-token")
    ]

    # The second one's owner reads the body first.
    assert [(each.status_code, each.json()["error"]) for each in compressed] == [(401, 401), (200, 415)]


@pytest.mark.promise("P-HTTP-17")
@pytest.mark.parametrize(
    ("header", "token", "status"),
    [
        (f"Bearer {TOKEN}", None, 200),
        (f"bearer {TOKEN}", TOKEN, 200),
        (f"Bearer {TOKEN}", "second-token", 401),
        ("Bearer second-token", "nobody", 401),
        ("Bearer nobody", TOKEN, 401),
        ("Basic abc", TOKEN, 200),
        (None, 5, 401),
        (None, "", 401),
        (None, "a\0b", 401),
    ],
)
async def test_the_token_comes_from_the_body_or_the_header(patient: Running, header: str | None, token: object, status: int) -> None:
    headers = {} if header is None else {"Authorization": header}
    answer = await patient.raw(BATCH, body(**({} if token is None else {"token": token})), headers)

    assert answer.status_code == status


@pytest.mark.promise("P-HTTP-18")
async def test_with_a_wrong_bearer_token_the_body_is_not_read(hasty: Running) -> None:
    async with connected(hasty, "Authorization: Bearer nobody", "Content-Length: 1000") as (reader, _):
        assert b"API token required" in await read_answer(reader)


@pytest.mark.promise("P-HTTP-18", "P-HTTP-11")
async def test_a_body_that_says_it_is_too_large_is_not_read(hasty: Running) -> None:
    async with connected(hasty, f"Authorization: Bearer {TOKEN}", f"Content-Length: {100 * MIB + 1}") as (reader, _):
        assert TOO_LARGE in await read_answer(reader)


@asynccontextmanager
async def connected(world: Running, *headers: str) -> AsyncIterator[tuple[asyncio.StreamReader, asyncio.StreamWriter]]:
    """A connection on which a request has begun."""
    host, port = world.gateway.url.removeprefix("http://").split(":")
    reader, writer = await asyncio.open_connection(host, int(port))
    writer.write("\r\n".join([f"POST /api/v1.1/{BATCH} HTTP/1.1", "Host: x", *headers, "", ""]).encode())
    try:
        yield reader, writer
    finally:
        writer.close()


async def read_answer(reader: asyncio.StreamReader) -> bytes:
    async with asyncio.timeout(10):
        head = await reader.readuntil(b"\r\n\r\n")
        return head + await reader.read(1_000)


@pytest.mark.promise("P-HTTP-11")
async def test_a_body_without_an_end_is_refused_at_the_limit(hasty: Running) -> None:
    async with connected(hasty, "Transfer-Encoding: chunked") as (reader, writer):
        chunk = b"%x\r\n%s\r\n" % (MIB, b" " * MIB)
        for _ in range(11):
            writer.write(chunk)
            await writer.drain()

        assert TOO_LARGE in await read_answer(reader)


@pytest.mark.promise("P-HTTP-11")
async def test_a_body_that_unpacks_to_too_much_is_refused(hasty: Running) -> None:
    bomb = gzip.compress(b'{"data": [' + b" " * (12 * MIB))
    answer = await hasty.raw(BATCH, bomb, {"Content-Encoding": "gzip"})

    assert (answer.status_code, answer.content) == (400, TOO_LARGE)


@pytest.mark.promise("P-HTTP-12")
async def test_with_attach_a_body_may_be_larger(patient: Running) -> None:
    file = {"name": "large.bin", "data": "data:application/octet-stream;base64," + "A" * (12 * MIB)}
    answer = await patient.raw(BATCH, body(token=TOKEN, attach=file))

    assert answer.json()["result"] == [{"error": 400, "error_text": "Incorrect object"}]
    assert await patient.pool.fetchval("SELECT length(data) FROM attachments") == 9 * MIB


@pytest.mark.promise("P-HTTP-12")
async def test_beside_attach_the_plain_limit_holds(hasty: Running) -> None:
    files: Json = {"token": TOKEN, "attach": [], "content": {"page": "x" * 11 * MIB}}
    answer = await hasty.raw(BATCH, body(**files))

    assert (answer.status_code, answer.content) == (400, TOO_LARGE)


@pytest.mark.promise("P-HTTP-29")
async def test_the_pages_show_every_endpoint_and_ask_nobody_else(hasty: Running) -> None:
    page = (await hasty.client.get(f"{hasty.gateway.url}/docs")).text
    document = (await hasty.client.get(f"{hasty.gateway.url}/openapi.json")).json()

    assert set(document["paths"]) == {f"/api/v1.1/{endpoint.path}" for endpoint in ENDPOINTS}
    assert {f"/api/v1.1/{path}" for path in (BATCH, TASK, "profiles/get", "profiles/delete", "tasks/status")} <= set(document["paths"])
    assert all(path in page for path in document["paths"])
    assert "http:" not in page
    assert "https:" not in page


@pytest.mark.promise("P-OPS-16")
async def test_a_log_shows_no_token_and_no_address(hasty: Running, capfd: pytest.CaptureFixture[str]) -> None:
    await hasty.send()
    logged = capfd.readouterr().out

    assert "batch_accepted" in logged
    assert not [secret for secret in (TOKEN, GOOD["data"]["email"]) if secret in logged]


async def answered(answer: httpx2.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error_text"]


@pytest.mark.promise("P-HTTP-24")
async def test_when_the_database_cannot_answer_it_is_a_503(hasty: Running) -> None:
    await hasty.pool.execute("ALTER TABLE tokens RENAME TO elsewhere")
    answer = await hasty.send()
    await hasty.pool.execute("ALTER TABLE elsewhere RENAME TO tokens")

    assert await answered(answer) == (503, "Temporarily unavailable")
    assert int(answer.headers["retry-after"]) > 0


async def original(world: Running, headers: dict[str, str] | None = None, **changes: object) -> tuple[int, int]:
    """HTTP status and `error` that a token gets whose every answer is to have HTTP 200."""
    answer = await world.raw(BATCH, body(token="original-token", **changes), headers)
    return answer.status_code, answer.json()["error"]


@pytest.mark.promise("P-HTTP-39")
async def test_a_token_may_have_http_200_for_every_error_but_what_is_to_be_repeated(hasty: Running) -> None:
    reads = await hasty.raw("profiles/get", b"{}", {"Authorization": "Bearer original-token"})
    answers = [
        await original(hasty),
        await original(hasty, trigger_id="8"),
        await original(hasty, trigger_id=1234),
        await original(hasty, data=[0] * 100_001),
        await original(hasty, {"Authorization": "Bearer original-token"}, content={"page": "x" * 11 * MIB}),
    ]
    waiting = await hasty.raw(BATCH, body(token="original-token", data=[GOOD]))
    await hasty.pool.execute("ALTER TABLE triggers RENAME TO elsewhere")
    away = await original(hasty)
    await hasty.pool.execute("ALTER TABLE elsewhere RENAME TO triggers")

    assert answers == [(200, 0), (200, 400), (200, 404), (200, 400), (200, 400)]
    assert (reads.status_code, reads.json()["error"]) == (200, 400)
    assert (waiting.status_code, waiting.json()["error_text"]) == (200, "Accepted, still processing")
    assert away == (503, 503)
    assert (await hasty.raw(BATCH, body(token="original"))).status_code == 401


@pytest.mark.promise("P-HTTP-27")
async def test_json_counts_before_the_token_and_the_token_before_what_is_too_much(hasty: Running) -> None:
    deep: object = 0
    for _ in range(33):
        deep = [deep]

    assert (await hasty.raw(BATCH, body(token="nobody", content={"a": deep}))).status_code == 400
    assert (await hasty.raw(BATCH, body(token="nobody", data=[0] * 100_001))).status_code == 401
    assert (await hasty.raw(BATCH, body(token="nobody", unknown=[0]))).status_code == 401


@pytest.mark.promise("P-HTTP-26")
async def test_a_fault_of_ours_costs_its_own_request_a_503(hasty: Running, monkeypatch: pytest.MonkeyPatch) -> None:
    def fail(*_: object) -> None:
        raise ZeroDivisionError

    with monkeypatch.context() as patched:
        patched.setattr("ingest.http.call.RequestId", fail)
        answer = await hasty.send({"Request-ID": "order-1"})
    later = await hasty.raw(BATCH, body(token=TOKEN))

    assert (answer.status_code, answer.json()) == (503, {"error": 503, "error_text": "Temporarily unavailable"})
    assert answer.headers["retry-after"] == "1"
    assert later.status_code == 200


@pytest.mark.promise("P-BATCH-26")
async def test_another_database_than_the_triggers_is_refused_by_both_numbers(hasty: Running) -> None:
    answer = await hasty.raw(BATCH, body(token=TOKEN, db_id=2))

    assert (answer.status_code, answer.json()["error_debug"]) == (400, "db_id: 2 is not the trigger's database, which is 1")
    assert (await hasty.raw(BATCH, body(token=TOKEN, db_id=3))).status_code == 404


@pytest.mark.promise("P-BATCH-15")
async def test_a_resource_of_another_database_is_refused(hasty: Running) -> None:
    answer = await hasty.raw(BATCH, body(token=TOKEN, resource_id=30))

    assert (answer.status_code, answer.json()["error_debug"]) == (400, "resource_id: the resource belongs to another database")


@pytest.mark.promise("P-BATCH-27")
async def test_files_are_for_triggers_that_send_mail(hasty: Running) -> None:
    file = {"name": "a.txt", "data": "data:text/csv;base64,SEVMTE8K"}
    await hasty.pool.execute("UPDATE triggers SET channel = 'webhook' WHERE number = 8")
    try:
        answer = await hasty.raw(BATCH, body(token=TOKEN, attach=file))
    finally:
        await hasty.pool.execute("UPDATE triggers SET channel = 'email' WHERE number = 8")

    assert (answer.status_code, answer.json()["error_debug"]) == (400, "attach: the trigger's channel is webhook, which has no files")
