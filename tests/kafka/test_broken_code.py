"""Many messages of several accounts that fail alike stop the line; those of one account are set aside."""

import pytest
from structlog.testing import capture_logs

from schemas.messages import ProfileImport
from schemas.topics import IMPORTS, Outgoing, item_headers
from tests.kafka.conftest import Bench, batch_of, until

COUNT = 60


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
