"""A standby answers, and takes no writes: nobody stays with it."""

import os
import tempfile
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import asyncpg
import pytest

from ingest.sql.pool import open_pool as open_gateways_pool
from profuse.stack import postgres
from profuse.stack.child import Child
from profuse.stack.ports import free_port
from profuse.stack.servers import await_ready, prepared
from runtime.postgres import open_pool
from runtime.trouble import Trouble, trouble_of
from schemas.settings import Settings

WRITE = "CREATE TABLE public.written ()"
WHO = "SELECT pg_backend_pid()"


@pytest.fixture
def standby() -> Iterator[Settings]:
    """Of a server of its own, whose primary is gone."""
    with tempfile.TemporaryDirectory(prefix="profuse-", ignore_cleanup_errors=True) as directory:
        Path(directory).chmod(0o755)
        (process,) = prepared(partial(postgres.server, Path(directory) / "postgres", free_port()))
        signal = Path(process.directory or directory) / "standby.signal"
        signal.touch()
        if process.user is not None:
            os.chown(signal, process.user, -1)
        child = Child(process, Path(directory) / "postgres.log")
        try:
            await_ready(child)
            yield Settings(postgres=process.url)
        finally:
            child.ask_to_stop()
            child.wait(seconds=5)


@pytest.mark.promise("P-OPS-26")
async def test_a_standby_is_left_and_its_refusal_is_waited_for(standby: Settings) -> None:
    async with await open_pool(standby, 1) as pool, open_gateways_pool(standby) as gateways:
        with pytest.raises(asyncpg.PostgresError) as refused:
            await pool.execute(WRITE)
        workers = [await pool.fetchval(WHO) for _ in range(2)]
        theirs = []
        for _ in range(2):
            async with gateways.acquire() as connection:
                theirs.append(await connection.fetchval(WHO))
        await pool.execute("SELECT pg_promote()")
        await pool.execute(WRITE)
        promoted = [await pool.fetchval(WHO) for _ in range(2)]

    assert trouble_of(refused.value) is Trouble.WORLD
    assert workers[0] != workers[1]
    assert theirs[0] != theirs[1]
    assert promoted[0] == promoted[1]


@pytest.mark.promise("P-OPS-26")
async def test_who_only_reads_stays_with_whom_it_has(settings: Settings) -> None:
    async with await open_pool(settings, 1, default_transaction_read_only="on") as pool:
        found = [await pool.fetchval(WHO) for _ in range(2)]

    assert found[0] == found[1]
