"""What is committed is on disk, whatever the server was told before."""

from collections.abc import AsyncIterator
from urllib.parse import urlsplit, urlunsplit

import asyncpg
import pytest

from schemas.settings import Settings


@pytest.fixture
async def hasty(settings: Settings) -> AsyncIterator[Settings]:
    """Logs in as somebody whose commits do not wait for the disk."""
    role = settings.prefix
    connection = await asyncpg.connect(settings.postgres)
    await connection.execute(f"CREATE ROLE {role} LOGIN PASSWORD 'any' SUPERUSER; ALTER ROLE {role} SET synchronous_commit = off")
    parts = urlsplit(settings.postgres)
    yield settings.model_copy(update={"postgres": urlunsplit(parts._replace(netloc=f"{role}:any@{parts.netloc.rpartition('@')[2]}"))})
    await connection.execute(f"DROP ROLE {role}")
    await connection.close()


@pytest.mark.promise("P-OPS-01")
async def test_a_commit_waits_for_the_disk_whatever_the_role_is_set_to(hasty: Settings) -> None:
    plain = await asyncpg.connect(hasty.postgres)
    ours = await asyncpg.connect(**hasty.postgres_options())
    found = [await each.fetchval("SHOW synchronous_commit") for each in (plain, ours)]
    for each in (plain, ours):
        await each.close()

    assert found == ["off", "on"]
