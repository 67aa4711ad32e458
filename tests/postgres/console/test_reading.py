"""Whoever looks changes nothing, and is not waited for without an end."""

import asyncio
from pathlib import Path

import asyncpg
import pytest
from sqlalchemy import text

from profuse.console.room import open_console
from profuse.postgres import transaction
from runtime.postgres import open_pool
from schemas.settings import Settings
from tests.launching import World
from tests.postgres.console import rows
from tests.visiting import Visitor


@pytest.mark.promise("P-CONSOLE-01", "P-CONSOLE-07")
async def test_pages_read_by_connections_that_cannot_write_and_whose_statements_end(tables: Settings, tmp_path: Path) -> None:
    async with open_console(tables.model_copy(update={"console_port": 0}), tmp_path) as console:
        reads = console._desk.reads
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await reads.execute("INSERT INTO accounts (id, name) VALUES (1, 'demo')")

        assert await reads.fetchval("SHOW statement_timeout") == "10s"
        assert reads.get_max_size() <= 4


@pytest.mark.promise("P-CONSOLE-07")
@pytest.mark.parametrize(
    "path",
    [
        *("/dead-letters", "/dead-letters/one?id=imports/0/1", "/dead-letters/value?id=imports/0/1", "/ways"),
        *(f"/triggers/1/8{part}?profile={rows.PROFILE.hex()}" for part in ("", "/mail")),
        *("/do/drop-dead-letters?all=yes", "/do/replay-dead-letters?id=imports/0/1", "/do/replay-launches?account=1"),
    ],
)
async def test_however_many_look_no_page_opens_a_connection_of_its_own(
    operator: Visitor, world: World, tables: Settings, monkeypatch: pytest.MonkeyPatch, path: str
) -> None:
    await rows.letter(world, tables.topic("imports"), 1, b"{}", "unreadable")
    await world.pool.execute("INSERT INTO profiles VALUES ($1, $2, '{\"email\": \"a@shop.test\"}', '[]')", rows.PROFILE, world.database)
    opened: list[object] = []
    monkeypatch.setattr(asyncpg, "connect", opened.append)
    await asyncio.gather(*(operator.see(path) for _ in range(10)))

    assert opened == []


@pytest.mark.promise("P-CONSOLE-07")
async def test_a_lent_connection_goes_back_open_whatever_became_of_its_transaction(tables: Settings) -> None:
    async with await open_pool(tables, 1, statement_timeout="200ms") as pool:
        before = await pool.fetchval("SELECT pg_backend_pid()")
        with pytest.raises(asyncpg.QueryCanceledError):
            async with transaction(tables, pool) as connection:
                await connection.execute(text("SELECT pg_sleep(60)"))
        async with transaction(tables, pool) as connection:
            assert (await connection.execute(text("SELECT pg_backend_pid()"))).scalar() == before

        with pytest.raises(TimeoutError):
            async with asyncio.timeout(0.05), transaction(tables, pool) as connection:
                await connection.execute(text("SELECT pg_sleep(0.15)"))
        async with transaction(tables, pool) as connection:
            assert (await connection.execute(text("SELECT 1"))).scalar() == 1
        assert pool.get_size() == 1
