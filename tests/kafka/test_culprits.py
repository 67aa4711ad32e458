"""Whatever goes wrong inside one message costs that message alone, also what nobody foresaw."""

from collections.abc import Mapping
from types import MappingProxyType

import asyncpg
import pytest
from structlog.testing import capture_logs

from schemas.messages import ProfileImport
from schemas.topics import IMPORTS, Outgoing, item_headers
from tests.kafka.conftest import BATCH, Bench, batch_of, until
from workers.exactly_once import Conflict

COUNT = 100
WHERE = ("breaks while it is prepared", "breaks while it is applied")
CAUSES = (KeyError, RecursionError, UnicodeEncodeError, ZeroDivisionError, MemoryError, asyncpg.UniqueViolationError, Conflict)


class Quoting(UnicodeError):
    """As codecs raise it."""


@pytest.mark.promise("P-OPS-34")
@pytest.mark.parametrize("where", WHERE)
@pytest.mark.parametrize("cause", [Quoting if each is UnicodeEncodeError else each for each in CAUSES], ids=lambda each: each.__name__)
async def test_a_message_that_breaks_is_set_aside_alone(bench: Bench, where: str, cause: type[Exception]) -> None:
    await batch_of(bench.pool, 1, BATCH)
    bench.ledger.breaking = cause
    await bench.feed(["1"] * COUNT + [where] + ["1"] * COUNT)
    with capture_logs() as logs:
        async with bench.running():
            await bench.until_processed(2 * COUNT + 1)

    assert [item for item in range(2 * COUNT + 1) if item != COUNT] == await bench.items()
    assert [(dead.batch, dead.item) for dead in bench.ledger.failed] == [(BATCH, COUNT)]
    assert not [entry for entry in logs if entry["event"] == "stream_waits"]
    # Neither the reason nor the log quotes what an exception says of people.
    assert "ann@" not in str(logs)
    assert "ann@" not in await bench.pool.fetchval("SELECT reason FROM dead_letters")


@pytest.mark.promise("P-OPS-35")
async def test_a_message_that_takes_too_long_even_alone_is_set_aside(bench: Bench) -> None:
    bench.ledger.breaking = asyncpg.IdleInTransactionSessionTimeoutError
    await bench.feed(["1"] * 4 + ["breaks while it is applied"] + ["1"] * 4)
    async with bench.running():
        await bench.until_processed(9)

    assert await bench.items() == [0, 1, 2, 3, 5, 6, 7, 8]
    assert await bench.pool.fetchval("SELECT reason FROM dead_letters") == "takes too long, even alone"
    # It was tried alone twice.
    assert len([size for size in bench.ledger.sizes if size == 1]) >= 2


@pytest.mark.promise("P-OPS-35")
async def test_a_connection_that_the_server_cuts_is_no_messages_fault_however_often(bench: Bench) -> None:
    bench.ledger.breaking = asyncpg.ConnectionDoesNotExistError
    await bench.feed(["breaks while it is applied"])
    async with bench.running():
        await until(lambda: _tried(bench, 4))
        bench.ledger.fixed = True
        await bench.until_processed(1)

    assert await bench.items() == [0]
    assert await bench.pool.fetchval("SELECT count(*) FROM dead_letters") == 0


async def _tried(bench: Bench, times: int) -> bool:
    return len(bench.ledger.sizes) >= times


async def test_an_old_letter_in_the_place_of_a_new_one_makes_way(bench: Bench) -> None:
    """As after a topic was made anew."""
    await bench.feed(["breaks while it is applied"])
    await bench.pool.execute(
        """
        INSERT INTO dead_letters (topic, partition, "offset", headers, reason, replayed_at)
        SELECT topic, partition, 0, '[]', 'old', now() FROM progress
        """
    )
    async with bench.running():
        await bench.until_processed(1)

    letter = await bench.pool.fetchrow("SELECT reason, replayed_at FROM dead_letters WHERE value IS NOT NULL")
    assert letter["reason"].startswith("KeyError at conftest.py")
    assert letter["replayed_at"] is None


async def in_one_partition(bench: Bench, values: Mapping[int, str], again: Mapping[int, str] = MappingProxyType({})) -> None:
    """A message for each item, and further ones for some of them."""
    messages = [ProfileImport(batch=BATCH.hex(), item=at, value=value, data={}) for at, value in (*values.items(), *again.items())]
    topic = bench.settings.topic(IMPORTS.name)
    await bench.publisher.publish([Outgoing(topic, b"0", each.encode(), item_headers(BATCH, each.item)) for each in messages])


@pytest.mark.promise("P-MATCH-31", "P-OPS-34")
async def test_who_searches_for_a_culprit_keeps_no_locks_of_what_has_passed(bench: Bench) -> None:
    await bench.pool.execute("CREATE UNIQUE INDEX ON ledger (item)")
    await in_one_partition(bench, {5: "1", 7: "breaks while it is applied", 1: "1"})
    insert = "INSERT INTO ledger VALUES ($1, 1)"

    async with bench.pool.acquire() as rival:
        holding = rival.transaction()
        await holding.start()
        await rival.execute("SET LOCAL idle_in_transaction_session_timeout = 0; SET LOCAL lock_timeout = '500ms'")
        await rival.execute(insert, 1)
        async with bench.running():
            await until(lambda: _waited_for(bench, rival))
            await rival.execute(insert, 5)
            await holding.rollback()
            await bench.until_processed(3)

    assert await bench.items() == [1, 5]


@pytest.mark.promise("P-OPS-34")
async def test_what_is_a_culprit_only_beside_others_is_found_when_fewer_are_tried(bench: Bench) -> None:
    await bench.pool.execute("CREATE UNIQUE INDEX ON ledger (item)")
    await in_one_partition(bench, {5: "1", 7: "1"}, again={5: "1"})
    async with bench.running():
        await bench.until_processed(3)

    assert await bench.items() == [5, 7]
    assert await bench.pool.fetchval("SELECT reason FROM dead_letters") == "refused by the database: 23505"


async def _waited_for(bench: Bench, rival: asyncpg.Connection) -> bool:
    waiting = "SELECT count(*) FROM pg_locks WHERE NOT granted AND $1 = ANY(pg_blocking_pids(pid))"
    return bool(await bench.pool.fetchval(waiting, rival.get_server_pid()))


@pytest.mark.promise("P-OPS-34")
async def test_a_surprise_that_passes_while_a_culprit_is_searched_for_costs_nobody(bench: Bench) -> None:
    bench.ledger.surprises = 1
    await in_one_partition(bench, {5: "breaks while it is applied", 7: "1"})
    async with bench.running():
        await bench.until_processed(2)

    assert await bench.items() == [7]
