"""Whoever looks changes nothing, and is not waited for without an end."""

from pathlib import Path

import asyncpg
import pytest

from profuse.console.room import open_console
from schemas.settings import Settings


@pytest.mark.promise("P-CONSOLE-01", "P-CONSOLE-07")
async def test_pages_read_by_connections_that_cannot_write_and_whose_statements_end(tables: Settings, tmp_path: Path) -> None:
    async with open_console(tables.model_copy(update={"console_port": 0}), tmp_path) as console:
        reads = console._desk.reads
        with pytest.raises(asyncpg.ReadOnlySQLTransactionError):
            await reads.execute("INSERT INTO accounts (id, name) VALUES (1, 'demo')")

        assert await reads.fetchval("SHOW statement_timeout") == "10s"
        assert reads.get_max_size() <= 4
