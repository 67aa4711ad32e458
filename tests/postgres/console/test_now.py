"""The first page, and how it changes by itself."""

import asyncio
import json
from contextlib import suppress
from datetime import timedelta
from pathlib import Path

import asyncpg
import httpx2
import pytest

from profuse.console.access.rights import Rights
from profuse.console.watching import sampler
from schemas.settings import Settings
from tests.launching import World
from tests.postgres.console import rows
from tests.serving import serving
from tests.visiting import Visitor, logged_in, visiting

pytestmark = pytest.mark.promise("P-CONSOLE-03")


async def events(visitor: Visitor, count: int) -> list[tuple[str, str]]:
    """The first events of the page: their names and their data."""
    found: list[tuple[str, str]] = []
    async with asyncio.timeout(20), visitor.http.stream("GET", "/now", headers={"Accept": "text/event-stream"}) as answer:
        assert answer.headers["content-type"].startswith("text/event-stream")
        name, data = "", list[str]()
        async for line in answer.aiter_lines():
            if line.startswith("event: "):
                name, data = line.removeprefix("event: "), []
            elif line.startswith("data: "):
                data.append(line.removeprefix("data: "))
            elif name:
                found.append((name, "\n".join(data)))
                name = ""
            if len(found) == count:
                return found
    return found


async def test_what_waits_and_what_stands_still_is_there_at_once(reader: Visitor, world: World, tables: Settings) -> None:
    batch = await rows.answered(world, 3, {})
    await rows.group(world, batch, 0, 1)
    await rows.group(world, batch, 2, due_in=timedelta(minutes=-5))
    await rows.letter(world, tables.topic("imports"), 1, b"{}", "unreadable")
    page = await reader.see("/")

    assert '<a href="/pending">3</a>' in page
    assert "the oldest is due for 5 min" in page
    assert '<a href="/dead-letters">1</a>' in page


async def test_the_page_changes_by_itself(reader: Visitor, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    before, after = "", ""
    async with asyncio.timeout(30), reader.http.stream("GET", "/now") as answer:
        batch = None
        async for line in answer.aiter_lines():
            if 'href="/pending">0<' in line:
                before = line
                batch = batch or await rows.answered(world, 1, {})
                with suppress(asyncpg.UniqueViolationError):
                    await rows.group(world, batch, 0)
            if 'href="/pending">1<' in line:
                after = line
                break

    assert before
    assert after


async def test_who_is_logged_out_sees_no_more(operator: Visitor, pool: asyncpg.Pool) -> None:
    await events(operator, 1)
    await pool.execute("UPDATE console_tokens SET revoked_at = now()")

    assert (await operator.get("/now")).status_code == 303
    assert (await operator.get("/now", Accept="text/event-stream")).status_code == 401


async def test_an_open_page_ends_with_its_token(operator: Visitor, pool: asyncpg.Pool) -> None:
    names: list[str] = []
    async with asyncio.timeout(20), operator.http.stream("GET", "/now") as answer:
        async for line in answer.aiter_lines():
            if line.startswith("event: "):
                names.append(line)
                await pool.execute("UPDATE console_tokens SET revoked_at = now()")

    assert names[-1] == "event: gone"


@pytest.mark.parametrize(
    "says",
    [b"", b"HTTP/1.1 503 No\r\nContent-Length: 2\r\n\r\n[]", b"nonsense\r\n\r\n"],
)
async def test_a_process_that_talks_nonsense_is_shown_as_one_that_is_not_well(tables: Settings, tmp_path: Path, says: bytes) -> None:
    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.readuntil(b"\r\n\r\n")
        writer.write(says)
        await writer.drain()

    async with serving(answer) as port:
        watching = tables.model_copy(update={"console_rooms": [f"http://127.0.0.1:{port}", "http://nowhere.invalid:1"]})
        async with visiting(watching, tmp_path) as stranger, logged_in(stranger, tables, Rights.READ, "rita") as reader:
            page = await reader.see("/")

    assert f'<td>127.0.0.1:{port}</td><td><span class="pill bad">failing</span>' in page
    assert "nowhere.invalid:1" in page


async def test_what_processes_say_becomes_rates_and_problems(tables: Settings, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    count = 0

    async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        nonlocal count
        while request := await reader.readuntil(b"\r\n\r\n"):
            status, body = "200 OK", '{"problems": []}'
            if b"/metrics" in request:
                count += 100
                body = f'# TYPE profuse_items counter\nprofuse_items_total{{fate="published"}} {count}\n'
            if b"/readyz" in request:
                status, body = "503 No", json.dumps({"problems": ["Kafka: <b>away</b>"]})
            writer.write(f"HTTP/1.1 {status}\r\nContent-Length: {len(body)}\r\n\r\n{body}".encode())
            await writer.drain()

    async with serving(answer) as port:
        watching = tables.model_copy(update={"console_rooms": [f"http://127.0.0.1:{port}"]})
        async with visiting(watching, tmp_path) as stranger, logged_in(stranger, tables, Rights.READ, "rita") as reader:
            _, (_, text) = await events(reader, 2)

    # A hundred at each look.
    rate = float(text.split('<h2>accepted</h2><p class="big">')[1].split("<")[0])
    assert rate == pytest.approx(100 / sampler.EVERY, rel=0.2)
    assert "Kafka: &lt;b&gt;away&lt;/b&gt;" in text


async def test_a_metric_s_port_that_is_a_redirect_is_not_followed(tables: Settings, tmp_path: Path) -> None:
    asked: list[bytes] = []

    async def elsewhere(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        asked.append(await reader.readuntil(b"\r\n\r\n"))

    async with serving(elsewhere) as target:

        async def answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
            await reader.readuntil(b"\r\n\r\n")
            writer.write(f"HTTP/1.1 302 Found\r\nLocation: http://127.0.0.1:{target}/\r\nContent-Length: 0\r\n\r\n".encode())
            await writer.drain()

        async with serving(answer) as port:
            watching = tables.model_copy(update={"console_rooms": [f"http://127.0.0.1:{port}"]})
            async with visiting(watching, tmp_path) as stranger, logged_in(stranger, tables, Rights.READ, "rita") as reader:
                page = await reader.see("/")

    assert asked == []
    assert "failing" in page


async def test_the_health_port_says_whether_the_tables_are_there(settings: Settings, tmp_path: Path) -> None:
    async with visiting(settings, tmp_path) as visitor:
        answer: httpx2.Response = await visitor.get("/login")

    assert (answer.status_code, "profuse migrate" in answer.text) == (503, True)
