"""What is committed is on disk, whatever the server was told before."""

from collections.abc import AsyncIterator

import asyncpg
import pytest

from schemas.settings import Settings
from tests.roles import somebody


@pytest.fixture
async def hasty(settings: Settings) -> AsyncIterator[Settings]:
    """Logs in as somebody whose commits do not wait for the disk."""
    async with somebody(settings, "synchronous_commit = off") as somebody_hasty:
        yield somebody_hasty


@pytest.mark.promise("P-OPS-01")
async def test_a_commit_waits_for_the_disk_whatever_the_role_is_set_to(hasty: Settings) -> None:
    plain = await asyncpg.connect(hasty.postgres)
    ours = await asyncpg.connect(**hasty.postgres_options())
    found = [await each.fetchval("SHOW synchronous_commit") for each in (plain, ours)]
    for each in (plain, ours):
        await each.close()

    assert found == ["off", "on"]
