"""`profuse profiles` on a real Postgres."""

import asyncio
import json
from collections.abc import Awaitable, Callable

import asyncpg
import pytest
from typer.testing import CliRunner, Result

from profuse.__main__ import app
from runtime.errors import CannotRun
from schemas.settings import Settings
from tests.matching import Json, World, item, new_world

ANN: Json = {"email": "ann@door.test", "phones": ["+79000000001"], "crm": "A-1", "subscriptions": []}
OF_DATABASE = ("--account", "1", "--database", "1")

Run = Callable[..., Awaitable[Result]]


@pytest.fixture
async def world(tables: Settings, pool: asyncpg.Pool) -> World:
    return await new_world(pool)


@pytest.fixture
def run(tables: Settings, monkeypatch: pytest.MonkeyPatch) -> Run:
    for name in ("kafka", "postgres", "prefix"):
        monkeypatch.setenv(f"PROFUSE_{name.upper()}", getattr(tables, name))
    # It has an event loop of its own.
    return lambda *arguments, **options: asyncio.to_thread(CliRunner().invoke, app, ["profiles", *arguments], **options)


@pytest.mark.promise("P-ERASE-06")
async def test_one_is_shown_by_its_id_or_by_what_it_is_matched_by(world: World, run: Run) -> None:
    (entry,) = await world.bring([item(**ANN)])
    ways = (
        (entry["profile_id"],),
        (*OF_DATABASE, "--email", "ANN@door.test"),
        (*OF_DATABASE, "--phone", "+7 900 000 00 01"),
        (*OF_DATABASE, "--field", "crm", "--value", "A-1"),
    )

    for way in ways:
        assert json.loads((await run("show", "--json", *way)).stdout) == {"_id": entry["profile_id"], **ANN}
    assert "email: ann@door.test" in (await run("show", entry["profile_id"])).stdout


@pytest.mark.promise("P-ERASE-06")
@pytest.mark.parametrize("by_id", [True, False])
async def test_one_is_erased_after_a_question(world: World, run: Run, by_id: bool) -> None:
    (entry, other) = await world.bring([item(**ANN), item(email="bob@door.test")])
    way = (entry["profile_id"],) if by_id else (*OF_DATABASE, "--email", "ann@door.test")
    refused = await run("erase", *way, input="n\n")
    unanswered = await run("erase", *way, input="")
    kept = len(await world.profiles())
    erased = await run("erase", *way, "--yes", "--json")

    assert (str(refused.exception), kept) == ("Nothing was erased.", 2)
    assert "--yes does not ask" in str(unanswered.exception)
    assert json.loads(erased.stdout) == {"profile_id": entry["profile_id"]}
    assert [profile["_id"] for profile in await world.profiles()] == [other["profile_id"]]
    assert await world.pool.fetchval("SELECT count(*) FROM identities") == 1


@pytest.mark.promise("P-ERASE-06")
@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ((), "Which profile?"),
        ((*OF_DATABASE, "--email", "ann@door.test", "--phone", "+79000000001"), "Which profile?"),
        (("--email", "ann@door.test"), "--account and --database"),
        (("7",), "24 hex digits"),
        (("0f" * 12,), f"There is no profile {'0f' * 12}"),
        ((*OF_DATABASE, "--email", "nobody@door.test"), "Not found"),
        ((*OF_DATABASE, "--email", "ann"), "Incorrect email"),
        (("--account", "2", "--database", "1", "--email", "ann@door.test"), "Not found"),
    ],
)
async def test_an_unclear_wish_changes_nothing(world: World, run: Run, arguments: tuple[str, ...], words: str) -> None:
    await world.bring([item(**ANN)])
    result = await run("erase", "--yes", *arguments)

    assert isinstance(result.exception, CannotRun), result
    assert words in str(result.exception)
    assert len(await world.profiles()) == 1
