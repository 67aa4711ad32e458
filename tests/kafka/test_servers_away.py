"""The real workers while a server is away at their start."""

from collections.abc import Mapping, Sequence
from typing import Any

import asyncpg
import pytest
from structlog.testing import capture_logs

from schemas.settings import Settings
from tests.kafka.conftest import until
from tests.kafka.hosting import OPENING, hosted, says

NOWHERE = {"kafka": "127.0.0.1:1", "postgres": "postgresql://postgres:secret@127.0.0.1:1/postgres"}


@pytest.mark.promise("P-OPS-15")
@pytest.mark.parametrize("name", OPENING)
@pytest.mark.parametrize("away", NOWHERE)
async def test_a_worker_that_starts_without_a_server_waits_and_says_what_to_do(migrated: Settings, name: str, away: str) -> None:
    words = f"start it, or set PROFUSE_{away.upper()}"
    with capture_logs() as logs:
        async with hosted(name, migrated.model_copy(update={away: NOWHERE[away]})) as room:
            await until(lambda: says(room, words))
            await until(lambda: logged(logs, words))

    assert "secret" not in str(logs)


async def logged(logs: Sequence[Mapping[str, Any]], words: str) -> bool:
    return any(words in entry["todo"] for entry in logs if entry["event"] == "stream_waits")


@pytest.mark.promise("P-OPS-15")
@pytest.mark.parametrize("name", OPENING)
async def test_a_worker_that_comes_before_the_tables_waits_and_says_what_to_do(migrated: Settings, pool: asyncpg.Pool, name: str) -> None:
    await pool.execute(f"ALTER SCHEMA {migrated.prefix} RENAME TO {migrated.prefix}_later")
    async with hosted(name, migrated) as room:
        await until(lambda: says(room, "run `profuse migrate`"))
        await pool.execute(f"ALTER SCHEMA {migrated.prefix}_later RENAME TO {migrated.prefix}")
        await until(lambda: says(room, ""))
