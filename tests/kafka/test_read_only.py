"""A Postgres that answers and takes no writes: a standby, or one that somebody has set read-only."""

import dataclasses
import json
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import asyncpg
import httpx2
import pytest
from structlog.testing import capture_logs

from profuse.applying import apply
from profuse.plain_http import plain_client
from runtime.advice import POSTGRES_READ_ONLY
from schemas.messages import ProfileImport
from schemas.settings import Settings
from schemas.topics import Outgoing
from tests.kafka.conftest import Bench, Ledger, until
from tests.kafka.gateway.running import GOOD, TASK, TOKEN
from tests.kafka.hosting import OPENING, ROOMS, Hosted, hosted, says
from tests.roles import somebody
from workers.exactly_once import Dead

ACCOUNT = (Path(__file__).parent / "gateway" / "account.toml").read_text()
COUNT = 50


@dataclasses.dataclass
class Refused(Ledger):
    """Its transactions are read-only, as those of a server that turned so in between."""

    read_only: bool = True

    async def apply(self, connection: asyncpg.Connection, messages: Sequence[ProfileImport], dead: Sequence[Dead]) -> list[Outgoing]:
        if self.read_only:
            await connection.execute("SET TRANSACTION READ ONLY")
        return await super().apply(connection, messages, dead)


@pytest.mark.promise("P-OPS-26")
async def test_messages_wait_for_a_database_that_takes_no_writes_and_none_is_set_aside(bench: Bench) -> None:
    bench.ledger = ledger = Refused(bench.settings)
    await bench.feed(["1"] * COUNT)
    async with bench.running() as stream:

        async def waits() -> bool:
            return any(POSTGRES_READ_ONLY in problem for problem in stream.problems())

        await until(waits)
        ledger.read_only = False
        await bench.until_processed(COUNT)

    assert await bench.items() == list(range(COUNT))
    assert await bench.pool.fetchval("SELECT count(*) FROM dead_letters") == 0


@pytest.fixture
async def refused(migrated: Settings) -> AsyncIterator[Settings]:
    async with somebody(migrated, "default_transaction_read_only = on") as them:
        yield them


async def let_write(pool: asyncpg.Pool, settings: Settings) -> None:
    """Sessions that are open stay as they are, as those of a standby do when another server has taken over."""
    await pool.execute(f"ALTER ROLE {settings.prefix} RESET default_transaction_read_only")


async def let_read_only(pool: asyncpg.Pool, settings: Settings) -> None:
    """For everybody, as a server does that is set so."""
    await pool.execute(f"ALTER ROLE {settings.prefix} SET default_transaction_read_only = on")
    await pool.execute("SELECT pg_terminate_backend(pid) FROM pg_stat_activity WHERE usename = $1", settings.prefix)


@pytest.mark.promise("P-OPS-26", "P-OPS-15")
@pytest.mark.parametrize("name", OPENING)
async def test_a_worker_says_so_and_goes_on_where_writes_are_taken(refused: Settings, pool: asyncpg.Pool, name: str) -> None:
    async with hosted(name, refused) as room:
        await until(lambda: says(room, POSTGRES_READ_ONLY))
        await let_write(pool, refused)
        await until(lambda: says(room, ""))


@pytest.mark.promise("P-OPS-26", "P-OPS-15")
@pytest.mark.parametrize("name", ROOMS)
async def test_a_room_that_has_nothing_to_do_says_so_too(migrated: Settings, pool: asyncpg.Pool, name: str) -> None:
    async with somebody(migrated, "default_transaction_read_only = off") as them, hosted(name, them) as room:
        await until(lambda: says(room, ""))
        await let_read_only(pool, them)
        await until(lambda: says(room, POSTGRES_READ_ONLY))
        told = await room.ready()
        await let_write(pool, them)
        await until(lambda: says(room, ""))

    assert not [problem for problem in told if "does not answer" in problem]


@pytest.mark.promise("P-OPS-26", "P-HTTP-24", "P-HTTP-26")
async def test_a_gateway_answers_503_and_goes_on_where_writes_are_taken(refused: Settings, pool: asyncpg.Pool, migrated: Settings) -> None:
    await apply(migrated, ACCOUNT)
    with capture_logs() as logs:
        async with posting(refused) as post:
            told = await post()
            await let_write(pool, refused)
            after = await post()

    assert (told.status_code, told.json()["error_text"]) == (503, "Temporarily unavailable")
    assert int(told.headers["Retry-After"]) > 0
    assert after.status_code == 200, after.text
    assert [entry["todo"] for entry in logs if entry["event"] == "database_away"] == [POSTGRES_READ_ONLY]
    assert not _unforeseen(logs)


def _unforeseen(logs: Sequence[Mapping[str, Any]]) -> list[Mapping[str, Any]]:
    return [entry for entry in logs if entry["event"] == "request_failed"]


@asynccontextmanager
async def posting(settings: Settings) -> AsyncIterator[Any]:
    """A gateway that is asked to take a batch."""
    body = json.dumps({"token": TOKEN, "trigger_id": 8, "data": [GOOD]}).encode()
    async with hosted("gateway", settings) as gateway, plain_client(timeout=30) as client:
        await until(lambda: says(gateway, POSTGRES_READ_ONLY))

        async def post() -> httpx2.Response:
            return await client.post(f"{_url(gateway)}/api/v1.1/{TASK}", content=body)

        yield post


def _url(gateway: Hosted) -> str:
    url: str = gateway._room._gateway.url
    return url
