"""Dead letters that the console sends again, on a real broker."""

import asyncio
from pathlib import Path

import asyncpg
import pytest

from profuse.console.access.rights import Rights
from runtime.broker import end_offsets
from schemas.settings import Settings
from tests.visiting import logged_in, visiting

pytestmark = pytest.mark.promise("P-CONSOLE-09")

_LETTER = """
INSERT INTO dead_letters (topic, partition, "offset", key, value, headers, reason) VALUES ($1, 0, $2, $3, $4, '[]', $5)
"""


async def published(settings: Settings) -> int:
    topic = settings.topic("imports")
    return sum((await end_offsets(settings, [(topic, partition) for partition in range(settings.partitions)])).values())


async def test_all_that_match_are_sent_again_and_what_was_sent_before_is_left_out(
    migrated: Settings, pool: asyncpg.Pool, tmp_path: Path
) -> None:
    for offset in range(150):
        await pool.execute(_LETTER, migrated.topic("imports"), offset, b"%d" % offset, b"{}", "refused\r\nby somebody")
    await pool.execute(_LETTER, migrated.topic("imports"), 500, b"k", b"{}", "another reason")
    await pool.execute('UPDATE dead_letters SET replayed_at = now() WHERE "offset" = 0')
    async with visiting(migrated, tmp_path) as stranger, logged_in(stranger, migrated, Rights.OPERATE, "olga") as olga:
        path = "/do/replay-dead-letters?topic=imports&reason=refused%0D%0Aby%20somebody"
        plan = await olga.plan(path)
        said = await olga.end_of(await olga.post(plan.action, plan.fields))

    assert plan.count == "149"
    assert "149 were sent again: 149 published again" in said
    assert await published(migrated) == 149
    assert await pool.fetchval("SELECT count(*) FROM dead_letters WHERE replayed_at IS NULL") == 1


async def test_while_the_broker_is_away_nothing_is_lost_and_the_log_says_so(migrated: Settings, pool: asyncpg.Pool, tmp_path: Path) -> None:
    await pool.execute(_LETTER, migrated.topic("imports"), 1, b"k", b"{}", "unreadable")
    away = migrated.model_copy(update={"kafka": "127.0.0.1:9"})
    async with visiting(away, tmp_path) as stranger, logged_in(stranger, away, Rights.OPERATE, "olga") as olga:
        said = await olga.do("/do/replay-dead-letters?all=yes")
        await olga.see("/ways")
        async with asyncio.timeout(20):
            # The first page does not wait for a broker that takes its time.
            while "Kafka does not answer" not in await olga.see("/"):
                await asyncio.sleep(0.2)

    assert "replay again when it does" in said or "does not answer" in said, said
    assert await pool.fetchval("SELECT count(*) FROM dead_letters WHERE replayed_at IS NULL") == 1
