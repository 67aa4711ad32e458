"""What is refused before anybody looks at the parameters, and the pages beside the API."""

import asyncio
import gzip
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager

import httpx
import pytest

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
async def test_with_attach_a_body_may_be_larger(hasty: Running) -> None:
    file = {"name": "large.bin", "data": "data:application/octet-stream;base64," + "A" * (12 * MIB)}
    answer = await hasty.raw(BATCH, body(token=TOKEN, attach=file))

    assert answer.json()["result"] == [{"error": 400, "error_text": "Incorrect object"}]
    assert await hasty.pool.fetchval("SELECT length(data) FROM attachments") == 9 * MIB


@pytest.mark.promise("P-HTTP-12")
async def test_beside_attach_the_plain_limit_holds(hasty: Running) -> None:
    files: Json = {"attach": [], "content": {"page": "x" * 11 * MIB}}
    answer = await hasty.raw(BATCH, body(**files))

    assert (answer.status_code, answer.content) == (400, TOO_LARGE)


@pytest.mark.promise("P-HTTP-29")
async def test_the_pages_show_every_endpoint_and_ask_nobody_else(hasty: Running) -> None:
    page = (await hasty.client.get(f"{hasty.gateway.url}/docs")).text
    document = (await hasty.client.get(f"{hasty.gateway.url}/openapi.json")).json()

    assert set(document["paths"]) == {f"/api/v1.1/{path}" for path in (BATCH, TASK, "profiles/get", "tasks/status")}
    assert all(path in page for path in document["paths"])
    assert "http:" not in page
    assert "https:" not in page


@pytest.mark.promise("P-OPS-16")
async def test_a_log_shows_no_token_and_no_address(hasty: Running, capfd: pytest.CaptureFixture[str]) -> None:
    await hasty.send()
    logged = capfd.readouterr().out

    assert "batch_accepted" in logged
    assert not [secret for secret in (TOKEN, GOOD["data"]["email"]) if secret in logged]


async def answered(answer: httpx.Response) -> tuple[int, str]:
    return answer.status_code, answer.json()["error_text"]


@pytest.mark.promise("P-HTTP-24")
async def test_when_the_database_cannot_answer_it_is_a_503(hasty: Running) -> None:
    await hasty.pool.execute("ALTER TABLE tokens RENAME TO elsewhere")
    answer = await hasty.send()
    await hasty.pool.execute("ALTER TABLE elsewhere RENAME TO tokens")

    assert await answered(answer) == (503, "Temporarily unavailable")
    assert int(answer.headers["retry-after"]) > 0
