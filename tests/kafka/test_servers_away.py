"""The real rooms while a server is away at their start."""

import asyncio
import socket
from collections.abc import AsyncIterator, Mapping, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from typing import Any
from urllib.parse import urlsplit

import asyncpg
import pytest
from structlog.testing import capture_logs

from schemas.settings import Settings
from tests.kafka.conftest import until
from tests.kafka.hosting import ROOMS, WORKERS, hosted, says

WAITING = ("stream_waits", "database_away", "broker_away", "backlog_unknown")
NOWHERE = {"kafka": "127.0.0.1:1", "postgres": "postgresql://postgres:secret@127.0.0.1:1/postgres"}


@pytest.mark.promise("P-OPS-15")
@pytest.mark.parametrize("name", ROOMS)
@pytest.mark.parametrize("away", NOWHERE)
async def test_a_room_that_starts_without_a_server_waits_and_says_what_to_do(migrated: Settings, name: str, away: str) -> None:
    words = f"start it, or set PROFUSE_{away.upper()}"
    with capture_logs() as logs:
        async with hosted(name, migrated.model_copy(update={away: NOWHERE[away]})) as room:
            await until(lambda: says(room, words))
            await until(lambda: logged(logs, words))

    assert "secret" not in str(logs)


@pytest.mark.promise("P-OPS-15")
@pytest.mark.parametrize("name", WORKERS)
async def test_a_worker_that_comes_before_a_migration_waits_and_says_what_to_do(migrated: Settings, pool: asyncpg.Pool, name: str) -> None:
    await pool.execute("UPDATE alembic_version SET version_num = '0001'")
    async with hosted(name, migrated) as room:
        await until(lambda: says(room, "run `profuse migrate`"))
        # Of a later release: whoever upgrades migrates first.
        await pool.execute("UPDATE alembic_version SET version_num = '9999'")
        await until(lambda: says(room, ""))


@pytest.mark.promise("P-OPS-15")
async def test_a_gateway_that_was_started_without_a_database_serves_when_it_is_there(migrated: Settings) -> None:
    with socket.create_server(("127.0.0.1", 0)) as free:
        port = free.getsockname()[1]
    elsewhere = migrated.model_copy(update={"postgres": f"postgresql://postgres@127.0.0.1:{port}/postgres", "port": 0})
    async with AsyncExitStack() as stack, hosted("gateway", elsewhere) as gateway:
        await until(lambda: says(gateway, "set PROFUSE_POSTGRES"))
        await stack.enter_async_context(passing_on(port, migrated.postgres))
        await until(lambda: says(gateway, ""))


@pytest.mark.promise("P-OPS-15")
async def test_a_gateway_that_starts_while_no_connection_is_left_serves_when_there_is_one(migrated: Settings, pool: asyncpg.Pool) -> None:
    role = f"{migrated.prefix}_crowded"
    await pool.execute(f"CREATE ROLE {role} LOGIN CONNECTION LIMIT 0; GRANT pg_read_all_data TO {role}")
    crowded = migrated.model_copy(update={"postgres": migrated.postgres.replace("postgres@", f"{role}@"), "port": 0})
    try:
        with capture_logs() as logs:
            async with hosted("gateway", crowded) as gateway:
                await until(lambda: told(logs, "TooManyConnectionsError"))
                await pool.execute(f"ALTER ROLE {role} CONNECTION LIMIT -1")
                await until(lambda: says(gateway, ""))
    finally:
        await pool.execute(f"DROP OWNED BY {role}; DROP ROLE {role}")


async def told(logs: Sequence[Mapping[str, Any]], error: str) -> bool:
    return any(entry["event"] == "database_away" and entry["error"] == error for entry in logs)


@asynccontextmanager
async def passing_on(port: int, server: str) -> AsyncIterator[None]:
    """What a server that has come up at a port of its own would be."""
    address = urlsplit(server)

    async def copy(source: asyncio.StreamReader, target: asyncio.StreamWriter) -> None:
        while part := await source.read(65_536):
            target.write(part)
        target.close()

    async def passed(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        there, back = await asyncio.open_connection(address.hostname, address.port)
        await asyncio.gather(copy(reader, back), copy(there, writer))

    listener = await asyncio.start_server(passed, "127.0.0.1", port)
    try:
        yield
    finally:
        listener.close()


async def logged(logs: Sequence[Mapping[str, Any]], words: str) -> bool:
    return any(
        words in entry["todo"] for entry in logs if entry["event"] in ("stream_waits", "database_away", "broker_away", "backlog_unknown")
    )


@pytest.mark.promise("P-OPS-15")
@pytest.mark.parametrize("name", WORKERS)
async def test_a_worker_that_comes_before_the_tables_waits_and_says_what_to_do(migrated: Settings, pool: asyncpg.Pool, name: str) -> None:
    await pool.execute(f"ALTER SCHEMA {migrated.prefix} RENAME TO {migrated.prefix}_later")
    async with hosted(name, migrated) as room:
        await until(lambda: says(room, "run `profuse migrate`"))
        await pool.execute(f"ALTER SCHEMA {migrated.prefix}_later RENAME TO {migrated.prefix}")
        await until(lambda: says(room, ""))
