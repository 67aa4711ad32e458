"""What becomes of a message that is the end of whoever tries it, and that other ends are no message's fault."""

from contextlib import suppress

import pytest

from schemas.messages import ProfileImport
from schemas.topics import IMPORTS, Outgoing
from tests.kafka.conftest import BATCH, Bench, until
from workers.exactly_once.trials import DEADLY, DEATHS

COUNT = 40
DEADLY_ITEM = 23
STATE = "SELECT max(deaths) AS deaths, bool_or(trying) AS trying, count(holder) AS held FROM progress"


class Killed(BaseException):
    """Ends a process without a word: nothing catches it."""


async def lives(bench: Bench, most: int) -> int:
    """Start a worker again whenever it ends; how many there were until all was processed."""
    bench.ledger.breaking = Killed
    for life in range(1, most + 1):
        with suppress(BaseExceptionGroup):
            async with bench.running():
                await bench.until_processed(COUNT)
        if await bench.processed() == COUNT:
            return life
    raise AssertionError(f"{most} lives were not enough")


async def feed(bench: Bench, *, deadly: bool) -> None:
    """Into one partition."""
    values = ["breaks while it is applied" if deadly and item == DEADLY_ITEM else "1" for item in range(COUNT)]
    messages = [ProfileImport(batch=BATCH.hex(), item=item, value=value, data={}) for item, value in enumerate(values)]
    topic = bench.settings.topic(IMPORTS.name)
    await bench.publisher.publish([Outgoing(topic, b"0", message.encode()) for message in messages])


@pytest.mark.promise("P-OPS-36")
async def test_a_message_that_ends_every_worker_is_set_aside_when_three_have_tried_it_alone(bench: Bench) -> None:
    await feed(bench, deadly=True)

    # The first is not on its guard, and each one after it comes at least half of the way.
    assert await lives(bench, 12) >= DEATHS + 2
    assert [item for item in range(COUNT) if item != DEADLY_ITEM] == await bench.items()
    assert await bench.pool.fetchval("SELECT reason FROM dead_letters") == DEADLY
    assert tuple(await bench.pool.fetchrow(STATE)) == (0, False, 0)


@pytest.mark.promise("P-OPS-36")
async def test_who_takes_over_from_one_that_died_begins_with_one_message_and_takes_ever_more(bench: Bench) -> None:
    await feed(bench, deadly=False)
    await bench.pool.execute("UPDATE progress SET holder = 'one that died'")
    async with bench.running():
        await bench.until_processed(COUNT)

    assert bench.ledger.sizes == [1, 2, 4, 8, 16, 9]


@pytest.mark.promise("P-OPS-36")
async def test_who_takes_over_from_one_that_was_told_to_stop_takes_all_at_once(bench: Bench) -> None:
    async with bench.running() as stream:
        await until(lambda: _stands(stream))
    await feed(bench, deadly=False)
    async with bench.running():
        await bench.until_processed(COUNT)

    assert bench.ledger.sizes == [COUNT]


@pytest.mark.promise("P-OPS-36")
async def test_a_server_that_goes_away_while_a_message_is_tried_alone_is_no_death(bench: Bench) -> None:
    await feed(bench, deadly=False)
    await bench.pool.execute("UPDATE progress SET holder = 'one that died', trying = true, deaths = $1", DEATHS - 2)
    bench.ledger.surprise, bench.ledger.surprises = ConnectionResetError, 1
    async with bench.running():
        await bench.until_processed(COUNT)

    assert len(await bench.items()) == COUNT


async def _stands(stream: object) -> bool:
    return len(stream.standing()) > 0  # type: ignore[attr-defined]


@pytest.mark.promise("P-OPS-36")
async def test_what_comes_after_a_message_that_was_set_aside_has_seen_no_deaths(bench: Bench) -> None:
    first, second = [ProfileImport(batch=BATCH.hex(), item=item, value="1", data={}) for item in range(2)]
    topic = bench.settings.topic(IMPORTS.name)
    await bench.publisher.publish([Outgoing(topic, b"0", first.encode())])
    await bench.pool.execute("UPDATE progress SET holder = 'one that died', trying = true, deaths = $1", DEATHS - 1)
    async with bench.running():
        await bench.until_processed(1)
        await bench.publisher.publish([Outgoing(topic, b"0", second.encode())])
        await bench.until_processed(2)

    assert await bench.items() == [1]
