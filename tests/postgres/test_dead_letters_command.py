"""`profuse dead-letters` on a real Postgres; what a replay does needs a broker, and is in tests/kafka."""

import asyncio
import json
import sys
from collections.abc import Awaitable, Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from io import StringIO
from typing import Any

import asyncpg
import pytest
from typer.testing import CliRunner, Result

from profuse import dead_letters
from profuse.__main__ import app
from profuse.commands.dead_letters import drop
from profuse.dead_letters import Wanted
from runtime.errors import CannotRun
from schemas.ids import new_id
from schemas.settings import Settings

BATCH = new_id()
DAY = 24

_LETTER = """
INSERT INTO dead_letters (topic, partition, "offset", key, value, headers, reason, batch, item, created_at)
VALUES ($1, $2, $3, $4, $5, $6::jsonb, $7, $8, $9, now() - $10::int * interval '1 hour')
"""
LETTERS = (
    ("imports", 0, 17, b"3:email:ann", b'{"v":1}', '[["item", "4"], ["trace", {"hex": "ff00"}]]', "unreadable: EOF", BATCH, 4, 2 * DAY),
    ("imports", 1, 3, b"\xff", b"\xff\x00", "[]", "refused by the database: 22P02", new_id(), 0, 2),
    ("matches", 2, 5, None, None, "[]", "100% wrong", BATCH, None, 0),
)
FIRST, SECOND, THIRD = "imports/0/17", "imports/1/3", "matches/2/5"

LONG_AGO = datetime(2026, 1, 1, tzinfo=UTC)

Run = Callable[..., Awaitable[Result]]
# Somebody who agrees, and in whose time to think another message has died so many hours ago.
Hesitating = Callable[[int], None]


@pytest.fixture
async def run(tables: Settings, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch) -> Run:
    """The command line, in a process that finds three dead letters."""
    await pool.executemany(_LETTER, [(f"{tables.prefix}.{topic}", *rest) for topic, *rest in LETTERS])
    for name in ("kafka", "postgres", "prefix"):
        monkeypatch.setenv(f"PROFUSE_{name.upper()}", getattr(tables, name))
    # It has an event loop of its own.
    return lambda *arguments, **options: asyncio.to_thread(CliRunner().invoke, app, ["dead-letters", *arguments], **options)


@pytest.fixture
async def hesitating(tables: Settings, pool: asyncpg.Pool, monkeypatch: pytest.MonkeyPatch) -> Hesitating:
    loop = asyncio.get_running_loop()

    def sits_there(hours: int) -> None:
        class Thinking(StringIO):
            def readline(self, size: int | None = -1, /) -> str:  # type: ignore[override]
                died = pool.execute(_LETTER, f"{tables.prefix}.matches", 0, 1, None, None, "[]", "any", BATCH, None, hours)
                asyncio.run_coroutine_threadsafe(died, loop).result(10)
                return "y\n"

        monkeypatch.setattr(sys, "stdin", Thinking())

    return sits_there


async def listed(run: Run, *filters: str) -> list[dict[str, Any]]:
    result = await run("list", "--json", *filters)
    if result.exception:
        raise result.exception
    return list(json.loads(result.stdout))


@pytest.mark.promise("P-DOOR-17")
@pytest.mark.parametrize(
    ("filters", "found"),
    [
        ((), [FIRST, SECOND, THIRD]),
        (("--batch", BATCH.hex()), [FIRST, THIRD]),
        (("--topic", "imports"), [FIRST, SECOND]),
        (("--reason", "database"), [SECOND]),
        (("--reason", "0% w"), [THIRD]),
        (("--reason", "0_ w"), []),
        (("--exact-reason", "unreadable: EOF"), [FIRST]),
        (("--exact-reason", "unreadable"), []),
        (("--exact-reason", ""), []),
        (("--until", "2026-01-01T00:00:00.123456+00:00"), []),
        (("--until", "2999-01-01"), [FIRST, SECOND, THIRD]),
        (("--older", "1d"), [FIRST]),
        (("--newer", "1d", "--older", "60m"), [SECOND]),
        (("--limit", "1"), [FIRST]),
    ],
)
async def test_dead_letters_are_found_by_what_they_are(run: Run, filters: tuple[str, ...], found: list[str]) -> None:
    assert [letter["id"] for letter in await listed(run, *filters)] == found


@pytest.mark.promise("P-DOOR-17")
async def test_a_table_tells_a_person_the_same(run: Run) -> None:
    result = await run("list", "--reason", "unreadable")

    assert all(text in result.stdout for text in (FIRST, BATCH.hex(), "unreadable: EOF", "dead"))


@pytest.mark.promise("P-DOOR-17")
async def test_one_is_shown_whole_as_text_where_it_is_text(run: Run) -> None:
    first, second = [json.loads((await run("show", "--json", id_)).stdout) for id_ in (FIRST, SECOND)]

    assert (first["key"], first["payload"], first["headers"]) == ("3:email:ann", '{"v":1}', [["item", "4"], ["trace", {"hex": "ff00"}]])
    assert (first["batch"], first["item"], first["fate"], first["replayed_at"]) == (BATCH.hex(), 4, "dead", None)
    assert (second["key"], second["payload"]) == ({"hex": "ff"}, {"hex": "ff00"})
    assert 'payload: {"v":1}' in (await run("show", FIRST)).stdout


@pytest.mark.promise("P-DOOR-17")
async def test_what_is_dropped_is_gone_and_the_others_stay(run: Run) -> None:
    refused = await run("drop", "--batch", BATCH.hex(), input="n\n")
    kept = len(await listed(run))
    dropped = await run("drop", "--batch", BATCH.hex(), "--yes")

    assert (str(refused.exception), kept) == ("Nothing was dropped.", 3)
    assert dropped.stdout == "2 dead letters are dropped\n"
    assert [letter["id"] for letter in await listed(run)] == [SECOND]


@pytest.mark.promise("P-DOOR-17")
async def test_what_dies_while_the_question_stands_is_not_dropped(
    run: Run, hesitating: Hesitating, capsys: pytest.CaptureFixture[str]
) -> None:
    hesitating(0)
    await asyncio.to_thread(drop, all_=True)

    assert capsys.readouterr().out.splitlines()[-1].endswith("3 dead letters are dropped")
    assert [letter["id"] for letter in await listed(run)] == ["matches/0/1"]


@pytest.mark.promise("P-DOOR-17")
async def test_what_comes_of_age_while_the_question_stands_is_not_dropped(
    run: Run, hesitating: Hesitating, capsys: pytest.CaptureFixture[str]
) -> None:
    hesitating(1)
    await asyncio.to_thread(drop, older="1h")

    assert capsys.readouterr().out.splitlines()[-1].endswith("2 dead letters are dropped")
    assert [letter["id"] for letter in await listed(run)] == ["matches/0/1", THIRD]


@pytest.mark.promise("P-DOOR-17")
async def test_ages_are_moments_from_when_they_are_asked_for(tables: Settings) -> None:
    ages = Wanted(older=timedelta(hours=1), newer=timedelta(days=1))
    meant = await dead_letters.as_of_now(tables, ages)
    until = await dead_letters.as_of_now(tables, replace(ages, until=LONG_AGO))

    assert meant.since is not None
    assert meant.until == meant.since + timedelta(hours=23)
    assert (meant.older, meant.newer) == (None, None)
    assert await dead_letters.as_of_now(tables, meant) == meant
    assert until.until == LONG_AGO


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (("drop", "--yes"), "--all"),
        (("replay",), "--all"),
        (("show", "imports/9/9"), "There is no dead letter imports/9/9"),
        (("drop", "--yes", FIRST, "imports/9/9"), "There is no dead letter imports/9/9"),
        (("show", "imports/x"), "topic/partition/offset"),
        (("list", "--older", "soon"), "90s, 30m, 12h or 7d"),
        (("drop", "--yes", "--older", "800000d"), "longer ago than any letter"),
        (("list", "--batch", "7"), "24 hex digits"),
        (("list", "--topic", "events"), "say imports or matches"),
        (("drop", "--yes", "--batch", BATCH.hex(), "--reason", ""), "An empty reason says nothing"),
    ],
)
async def test_an_unclear_wish_changes_nothing(run: Run, arguments: tuple[str, ...], words: str) -> None:
    result = await run(*arguments)

    assert isinstance(result.exception, CannotRun)
    assert words in str(result.exception)
    assert len(await listed(run)) == 3


@pytest.mark.promise("P-DOOR-17")
async def test_many_are_dropped_page_by_page(run: Run, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(dead_letters, "DROPPED_TOGETHER", 1)
    dropped = await run("drop", "--all", "--yes")

    assert (dropped.stdout, await listed(run)) == ("3 dead letters are dropped\n", [])
