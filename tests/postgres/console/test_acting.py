"""What can be done: counted first, done once, and in the log."""

import asyncio
import json
import shlex
from datetime import timedelta
from typing import Any

import asyncpg
import pytest
from typer.testing import CliRunner

from profuse.__main__ import app
from profuse.console.acting.deed import Means
from profuse.console.acting.deeds import DEEDS
from profuse.console.reading import counted
from runtime.postgres import open_pool
from schemas.settings import Settings
from tests.launching import World
from tests.postgres.console import rows
from tests.visiting import Visitor

pytestmark = pytest.mark.promise("P-CONSOLE-05")

_LOG = (
    "SELECT who, what, scope::text AS scope, counted, done, outcome, failed, ended_at IS NOT NULL AS ended FROM console_actions ORDER BY id"
)


async def log(pool: asyncpg.Pool) -> list[dict[str, Any]]:
    return [{**dict(row), "scope": json.loads(row["scope"])} for row in await pool.fetch(_LOG)]


async def by_the_command(shown: str, settings: Settings, does: str, looks: str) -> str:
    """What a shell would do by the line of a page; or, so that it stays for the page, rather sees."""
    words = [looks if word == does else word for word in shlex.split(shown)][1:]
    given = {f"PROFUSE_{name.upper()}": getattr(settings, name) for name in ("kafka", "postgres", "prefix")}
    # It has an event loop of its own.
    done = await asyncio.to_thread(CliRunner().invoke, app, [*words, "--json"], env=given)
    assert done.exit_code == 0, done.output
    return done.stdout


async def waiting(world: World, launches: int = 3) -> bytes:
    batch = await rows.answered(world, launches, {})
    await rows.group(world, batch, *range(launches))
    return batch


async def test_a_cancel_says_how_many_first_and_changes_nothing_until_it_is_meant(operator: Visitor, world: World) -> None:
    batch = await waiting(world)
    plan = await operator.plan(f"/do/cancel?batch={batch.hex()}")
    before = await world.pool.fetchval("SELECT count(*) FROM cancels")
    page = await operator.end_of(await operator.post(plan.action, plan.fields))

    assert (plan.count, before) == ("3", 0)
    assert f"profuse launches cancel {batch.hex()}" in plan.text
    assert "3 launches are cancelled" in page
    assert await world.pool.fetchval("SELECT count(*) FROM cancels WHERE batch = $1", batch) == 1
    (entry,) = await log(world.pool)
    assert (entry["who"], entry["what"], entry["scope"], entry["counted"], entry["done"], entry["failed"]) == (
        "olga", "cancel", {"batch": batch.hex()}, 3, 3, False,
    )  # fmt: skip


@pytest.mark.parametrize("which", ["account=1&trigger=8", f"account=1&profile={rows.PROFILE.hex()}"])
async def test_launches_of_a_trigger_or_for_a_profile_are_taken_back(operator: Visitor, world: World, which: str) -> None:
    await waiting(world)
    await world.pool.execute("INSERT INTO profiles VALUES ($1, $2, '{}', '[]')", rows.PROFILE, world.database)
    plan = await operator.plan(f"/do/cancel?{which}")

    assert plan.count == "3"
    assert "3 launches are cancelled" in await operator.do(f"/do/cancel?{which}")


async def test_so_many_are_not_counted_to_the_end_and_it_says_so(operator: Visitor, world: World, monkeypatch: pytest.MonkeyPatch) -> None:
    for _ in range(3):
        await waiting(world)
    monkeypatch.setattr("profuse.console.acting.cancelling.MOST", 2)
    plan = await operator.plan("/do/cancel?account=1&trigger=8")

    assert plan.count is not None
    assert plan.count.endswith("+")
    assert "9 launches are cancelled" in await operator.do("/do/cancel?account=1&trigger=8")


@pytest.mark.parametrize(
    ("path", "status", "said"),
    [
        ("/do/cancel", 400, "Which launches?"),
        ("/do/cancel?account=1", 400, "Which launches?"),
        ("/do/cancel?batch=xyz", 400, "no batch id"),
        (f"/do/cancel?batch={'0' * 24}", 400, "There is no such batch"),
        ("/do/cancel?account=1&trigger=99", 400, "There is no such batch, trigger"),
        ("/do/cancel?account=99999999999999999999&trigger=1", 400, "must be a number"),
        ("/do/cancel?account=%D9%A1&trigger=1", 400, "must be a number"),
        ("/do/cancel?trigger=8", 400, "Whose?"),
        ("/do/cancel?batch=%00", 400, "NUL"),
        ("/do/replay-launches", 400, "Which of them?"),
        ("/do/replay-dead-letters", 400, "Which of them?"),
        ("/do/drop-dead-letters?id=x", 400, "no id of a dead letter"),
        ("/do/drop-dead-letters?id=imports/0/1", 400, "There is no dead letter"),
        ("/do/resume-provider?account=1", 400, "Which one?"),
        ("/do/resume-hook?name=x", 400, "Which one?"),
        ("/do/nothing", 404, "no such action"),
        ("/do/cancel?" + "&".join(f"a{n}=1" for n in range(60)), 400, "more values"),
    ],
)
async def test_what_names_nothing_is_told_before_anything_is_done(
    operator: Visitor, world: World, path: str, status: int, said: str
) -> None:
    answer = await operator.get(path)

    assert (answer.status_code, said in answer.text) == (status, True), answer.text
    assert await log(world.pool) == []


async def test_who_may_only_look_sees_the_count_and_no_button(reader: Visitor, world: World) -> None:
    batch = await waiting(world)
    plan = await reader.plan(f"/do/cancel?batch={batch.hex()}")

    assert (plan.count, plan.fields) == ("3", {})
    assert "may look, and not act" in plan.text


async def test_a_form_that_is_sent_twice_is_one_action(operator: Visitor, world: World) -> None:
    batch = await waiting(world)
    plan = await operator.plan(f"/do/cancel?batch={batch.hex()}")
    answers = await asyncio.gather(*(operator.post(plan.action, plan.fields) for _ in range(5)))
    await operator.end_of(answers[0])

    assert len({answer.headers["location"] for answer in answers}) == 1
    assert len(await log(world.pool)) == 1
    assert await world.pool.fetchval("SELECT count(*) FROM cancels") == 1


@pytest.mark.parametrize(
    "change",
    [
        {"scope": "[]"},
        {"scope": "{"},
        {"scope": '{"sql": "x"}'},
        {"scope": '{"batch": 7}'},
        {"scope": '{"batch": "\\u0000"}'},
        {"form": "short"},
    ],
)
async def test_a_form_that_is_not_whole_does_nothing(operator: Visitor, world: World, change: dict[str, str]) -> None:
    batch = await waiting(world)
    plan = await operator.plan(f"/do/cancel?batch={batch.hex()}")
    answer = await operator.post(plan.action, plan.fields | change)

    assert answer.status_code == 400
    assert await log(world.pool) == []


async def test_an_action_that_fails_says_why_in_the_log(operator: Visitor, world: World) -> None:
    batch = await waiting(world)
    plan = await operator.plan(f"/do/cancel?batch={batch.hex()}")
    await world.pool.execute("DELETE FROM batches")
    page = await operator.end_of(await operator.post(plan.action, plan.fields))

    assert "There is no such batch" in page
    assert (await log(world.pool))[0]["failed"]


async def test_a_bug_in_one_action_is_its_failure_and_the_console_goes_on(
    operator: Visitor, world: World, monkeypatch: pytest.MonkeyPatch
) -> None:
    async def breaks(*_: object) -> None:
        raise ZeroDivisionError

    batch = await waiting(world)
    monkeypatch.setattr(DEEDS["cancel"], "run", breaks)
    page = await operator.do(f"/do/cancel?batch={batch.hex()}")

    assert "It failed (ZeroDivisionError)" in page
    await operator.see("/batches")


async def test_an_action_whose_process_went_silent_is_said_to_be_interrupted(operator: Visitor, pool: asyncpg.Pool) -> None:
    await pool.execute(
        "INSERT INTO console_actions (who, what, form, scope, seen_at) VALUES ('olga', 'cancel', 'f', '{}', now() - interval '2 minutes')"
    )

    assert "interrupted" in await operator.see("/actions")


@pytest.mark.promise("P-CONSOLE-09")
async def test_dead_letters_of_one_reason_are_dropped_and_those_that_come_later_stay(
    operator: Visitor, world: World, tables: Settings
) -> None:
    reason = "unreadable:\n\t<b>'100%' \u202e\r\n end"
    for offset in range(3):
        await rows.letter(world, tables.topic("imports"), offset, b"{}", reason)
    await rows.letter(world, tables.topic("imports"), 10, b"{}", f"{reason} and more")
    await rows.letter(world, tables.topic("matches"), 11, b"{}", reason)
    page = await operator.see("/dead-letters")
    links = [part.split('"')[0].replace("&amp;", "&") for part in page.split('href="')]
    link = next(each for each in links if each.startswith("/do/drop-dead-letters?topic=imports") and "more" not in each)
    plan = await operator.plan(link)
    await rows.letter(world, tables.topic("imports"), 12, b"{}", reason)
    told = await by_the_command(plan.command, tables, "drop", "list")
    done = await operator.end_of(await operator.post(plan.action, plan.fields))

    assert plan.count == "3"
    assert sorted(each["id"] for each in json.loads(told)) == ["imports/0/0", "imports/0/1", "imports/0/2"]
    assert "3 were dropped" in done
    assert [row[0] for row in await world.pool.fetch('SELECT "offset" FROM dead_letters ORDER BY 1')] == [10, 11, 12]


async def test_failed_launches_run_again_and_those_that_fail_later_stay(operator: Visitor, world: World, tables: Settings) -> None:
    batch = await rows.answered(world, 3, {})
    for item in range(3):
        await rows.group(world, batch, item, due_in=timedelta(0), failed=1)
    for item, reason in enumerate(["HTTP 422", "HTTP 422", "HTTP 404"]):
        await rows.failure(world, batch, item, reason)
    plan = await operator.plan("/do/replay-launches?account=1&trigger=8&reason=HTTP%20422")
    await world.pool.execute("UPDATE failures SET failed_at = now() WHERE item = 1")
    told = await by_the_command(plan.command, tables, "replay", "failed")
    done = await operator.end_of(await operator.post(plan.action, plan.fields))

    assert plan.count == "2"
    assert [each["item"] for each in json.loads(told)] == [0]
    assert "1 launches run again" in done
    assert [row["item"] for row in await world.pool.fetch("SELECT item FROM failures ORDER BY item")] == [1, 2]


# Each row takes its time, as millions of them do together.
_SLOW = """
ALTER TABLE failures RENAME TO many;
CREATE VIEW failures AS SELECT * FROM many WHERE pg_sleep(5)::text = ''
"""


async def test_failures_that_nobody_can_count_in_time_can_be_run_again_all_the_same(tables: Settings, world: World) -> None:
    batch = await rows.answered(world, 1, {})
    await rows.failure(world, batch, 0, "HTTP 422")
    await world.pool.execute(_SLOW)
    async with await open_pool(tables, 1, statement_timeout="200ms") as reads:
        plan = await DEEDS["replay-launches"].plan(Means(tables, reads), {"account": "1"})

    assert (plan.counted, plan.is_empty) == (None, False)
    assert "nobody has counted them" in plan.sentences[-1]


async def test_a_provider_and_a_hook_are_let_go_on(operator: Visitor, world: World) -> None:
    provider = await world.pool.fetchval(
        "INSERT INTO providers (account, name, channel, url, secrets, concurrency, timeout, active) "
        "VALUES (1, 'sms <main>', 'sms', 'http://x', '{}', 1, 1, true) RETURNING id"
    )
    await world.pool.execute("INSERT INTO provider_states (provider, paused_at, why) VALUES ($1, now(), 'HTTP 410')", provider)
    await world.pool.execute(
        "INSERT INTO hooks (account, name, url, secrets, batch, timeout, success, active, paused_at, paused_because) "
        "VALUES (1, 'crm', 'http://x', '{}', 1, 1, '', true, now(), 'it failed for a day')"
    )
    page = await operator.see("/ways")
    provider_said = await operator.do("/do/resume-provider?account=1&name=sms%20%3Cmain%3E")
    hook_said = await operator.do("/do/resume-hook?account=1&name=crm")

    assert "HTTP 410" in page
    assert "it failed for a day" in page
    assert "is tried again" in provider_said
    assert "resumed" in hook_said
    assert await world.pool.fetchval("SELECT count(*) FROM provider_states") == 0
    assert await world.pool.fetchval("SELECT count(*) FROM hooks WHERE paused_at IS NOT NULL") == 0


async def test_the_log_shows_everybody_s_actions_the_newest_first(operator: Visitor, reader: Visitor, world: World) -> None:
    for _ in range(2):
        await operator.do(f"/do/cancel?batch={(await waiting(world)).hex()}")
    page = await reader.see("/actions")

    assert page.index("/actions/2") < page.index("/actions/1")
    assert "olga" in page


def test_a_count_looks_at_a_bounded_number_of_rows() -> None:
    assert counted.MOST <= 10_000
