"""A standby answers, and takes no writes: nobody stays with it."""

import os
from collections.abc import Iterator
from pathlib import Path

import asyncpg
import pytest

from ingest.sql.pool import open_pool as open_gateways_pool
from profuse.stack.child import Process
from runtime.postgres import open_pool
from runtime.trouble import Trouble, trouble_of
from schemas.settings import Settings
from tests.postgres.own_server import own_server

WRITE = "CREATE TABLE public.written ()"
WHO = "SELECT pg_backend_pid()"


@pytest.fixture
def standby() -> Iterator[Settings]:
    """Of a server of its own, whose primary is gone."""

    def without_a_primary(data: Path, process: Process) -> None:
        signal = Path(process.directory or data.parent) / "standby.signal"
        signal.touch()
        if process.user is not None:
            os.chown(signal, process.user, -1)

    with own_server(without_a_primary) as url:
        yield Settings(postgres=url)


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
