"""Many messages of several accounts that fail alike stop the line; those of one account are set aside."""

import asyncpg
import pytest
from structlog.testing import capture_logs

from schemas.ids import new_id
from schemas.messages import ProfileImport
from schemas.topics import IMPORTS, Outgoing, item_headers
from tests.kafka.conftest import Bench, until

COUNT = 60

_ACCOUNT = "INSERT INTO accounts (id, name) VALUES ($1, 'any') ON CONFLICT DO NOTHING"
_DATABASE = "INSERT INTO databases (account, number, name, unknown_fields, fields) VALUES ($1, 1, 'any', 'reject', '{}') RETURNING id"
_TRIGGER = """
INSERT INTO triggers (account, number, name, type, database, channel, active, unconditional_sending, skip_minutes, sender, subject, html)
VALUES ($1, 1, 'any', 'api_call', $2, 'email', true, false, 0, 'a@b.test', '', '') RETURNING id
"""
_BATCH = """
INSERT INTO batches (id, account, database, trigger, total, matching, skip_triggers, skip_invalid_subscriptions, detect_geo,
                     content, custom_data, rejects, accepting_until, due_at)
VALUES ($1, $2, $3, $4, 1000, 'email', false, false, false, '{}', '{}', '{}', now(), now())
"""


async def batch_of(pool: asyncpg.Pool, account: int) -> bytes:
    batch = new_id()
    await pool.execute(_ACCOUNT, account)
    database = await pool.fetchval(_DATABASE, account)
    await pool.execute(_BATCH, batch, account, database, await pool.fetchval(_TRIGGER, account, database))
    return batch


async def send(bench: Bench, batches: list[bytes], value: str) -> None:
    """One partition, so that they are one chunk."""
    messages = [ProfileImport(batch=batches[at % len(batches)].hex(), item=at, value=value, data={}) for at in range(COUNT)]
    topic = bench.settings.topic(IMPORTS.name)
    records = [Outgoing(topic, b"0", each.encode(), item_headers(bytes.fromhex(each.batch), each.item)) for each in messages]
    await bench.publisher.publish(records)


@pytest.mark.promise("P-OPS-20")
@pytest.mark.parametrize("value", ["unknown", "not a number"])
async def test_what_fails_alike_in_two_accounts_waits_loudly_and_passes_after_a_fix(bench: Bench, value: str) -> None:
    await send(bench, [await batch_of(bench.pool, account) for account in (1, 2)], value)
    with capture_logs() as logs:
        async with bench.running() as stream:
            await until(lambda: _says(stream.problems(), f"{COUNT} of {COUNT} messages, of 2 accounts"))
            buried = await bench.pool.fetchval("SELECT count(*) FROM dead_letters")
            moved, standing = await bench.processed(), stream.standing()
            bench.ledger.fixed = True
            await bench.until_processed(COUNT)
            await until(lambda: _says(stream.problems(), ""))

    assert (buried, moved, bench.ledger.failed) == (0, 0, [])
    # Ended as stuck, the next process would be told the same.
    assert standing == {}
    assert list(range(COUNT)) == await bench.items()
    assert "Deploy a fix" in next(entry["todo"] for entry in logs if (entry["event"], entry["log_level"]) == ("line_stopped", "error"))


@pytest.mark.promise("P-OPS-20")
async def test_what_fails_alike_in_one_account_is_set_aside(bench: Bench) -> None:
    await send(bench, [await batch_of(bench.pool, 1)], "not a number")
    async with bench.running():
        await bench.until_processed(COUNT)

    assert await bench.pool.fetchval("SELECT count(*) FROM dead_letters") == COUNT


async def _says(problems: list[str], words: str) -> bool:
    return any(words in problem for problem in problems) if words else problems == []
