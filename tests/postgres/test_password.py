"""A Postgres that asks for a password, which its URL does not hold."""

import asyncio
from collections.abc import Iterator

import asyncpg
import pytest
from sqlalchemy import text

from profuse.postgres import plain_connection, transaction
from runtime.errors import CannotRun
from runtime.postgres import open_pool
from schemas.settings import Settings
from tests.migrating import migrate_tables
from tests.postgres.own_server import own_server

PASSWORD = "s3/c#r?e@t %41:"


@pytest.fixture
def strict() -> Iterator[Settings]:
    """Of a server of its own."""
    with own_server() as url:
        asyncio.run(_ask_for_a_password(url))
        yield Settings(postgres=url)


async def _ask_for_a_password(url: str) -> None:
    connection = await asyncpg.connect(url)
    await connection.execute(f"ALTER ROLE postgres PASSWORD '{PASSWORD}'")
    file = await connection.fetchval("SELECT current_setting('hba_file')")
    await connection.execute(f"COPY (SELECT 'host all all all scram-sha-256') TO '{file}'")
    await connection.execute("SELECT pg_reload_conf()")
    await connection.close()


@pytest.mark.promise("P-OPS-22")
async def test_every_way_to_postgres_takes_the_password_beside_the_url(strict: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setenv("PGPASSWORD", "another")
    with pytest.raises(CannotRun, match="password authentication failed"):
        await migrate_tables(strict)
    monkeypatch.setenv("PGPASSWORD", PASSWORD)
    await migrate_tables(strict)

    async with transaction(strict) as declaring, plain_connection(strict) as plain, await open_pool(strict, 1) as pool:
        assert (await declaring.execute(text("SELECT 1"))).scalar() == 1
        assert await plain.fetchval("SELECT 1") == 1
        assert await pool.fetchval("SELECT 1") == 1
