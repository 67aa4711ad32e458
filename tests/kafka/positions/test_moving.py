"""Positions are shown, and moved by who asks for it and agrees."""

import asyncio
import json
from typing import Any

import pytest

from profuse.positions import looking, moving, planning
from profuse.positions.standing import NEW, SAME
from profuse.postgres import transaction
from runtime.errors import CannotRun
from schemas.topics import IMPORTS
from tests.kafka.conftest import Bench, until
from tests.kafka.positions.operating import COUNT, Run, changed, has_gone, listed, processed, stored
from workers.exactly_once import progress

pytestmark = pytest.mark.promise("P-OPS-54")


@pytest.mark.parametrize(
    ("arguments", "why"),
    [
        (("set", "events", "start"), "The topic events has no positions: say imports or matches."),
        (("set", "", "start"), "The topic (nothing) has no positions"),
        (("set", "imports", "half-way"), "half-way is no place"),
        (("set", "imports", "1", "--partition", "0"), "imports/0 has no offset 1: it begins at 0, and 0 comes next."),
        (("set", "imports", "start", "--partition", "99"), "imports has no partition 99"),
        (("add", "imports"), "There is nothing to move"),
        (("list", "--topic", "import"), "The topic import has no positions"),
    ],
)
async def test_what_makes_no_sense_is_refused_in_a_line_and_moves_nothing(bench: Bench, run: Run, arguments: Any, why: str) -> None:
    before = await stored(bench)
    result = await run(*arguments, "--yes") if arguments[0] != "list" else await run(*arguments)

    assert isinstance(result.exception, CannotRun)
    assert why in str(result.exception)
    assert await stored(bench) == before


async def test_a_broker_without_the_topic_is_told_of_in_a_line(bench: Bench, run: Run) -> None:
    await changed(bench.settings, "delete_topics", [topic := bench.settings.topic(IMPORTS.name)])
    await until(lambda: has_gone(bench.settings, topic))
    result = await run("set", "imports", "start", "--yes")

    assert str(result.exception) == f"Kafka has no topic {topic}: run `profuse migrate` first."


async def test_a_list_shows_where_each_partition_stands_and_who_reads_it(bench: Bench, run: Run) -> None:
    await bench.feed(["1"] * COUNT)
    async with bench.running("matcher"):
        await bench.until_processed(COUNT)
        beside = await listed(run)
    after = await listed(run)

    assert sum(each["position"] for each in after) == sum(each["end"] for each in after) == COUNT
    assert {each["state"] for each in after} <= {SAME, NEW}
    assert all(each["workers"].startswith("127.0.0.1") for each in beside)
    assert [each["workers"] for each in after] == [None] * bench.settings.partitions


async def test_nothing_is_moved_while_a_worker_reads_the_topic(bench: Bench, run: Run) -> None:
    await bench.feed(["1"] * COUNT)
    async with bench.running("matcher"):
        await bench.until_processed(COUNT)
        before = await stored(bench)
        result = await run("set", "imports", "start", "--yes")

    assert "1 matchers read imports" in str(result.exception)
    assert await stored(bench) == before


@pytest.mark.parametrize(("options", "answer"), [(("--dry-run",), ""), ((), "n\n"), ((), "")])
async def test_who_is_not_sure_sees_what_it_would_do_and_moves_nothing(bench: Bench, run: Run, options: Any, answer: str) -> None:
    await bench.feed(["1"] * COUNT)
    before = await stored(bench)
    result = await run("set", "imports", "end", *options, input=answer)

    assert "records are skipped: their items stay without an answer" in result.stdout
    assert await stored(bench) == before


async def test_who_agrees_has_it_done_and_what_is_read_again_counts_once(bench: Bench, run: Run) -> None:
    await bench.feed(["1"] * COUNT)
    await processed(bench)
    result = await run("set", "imports", "start", input="y\n")
    moved = await stored(bench)
    ends = {each["partition"]: each["end"] for each in await listed(run)}
    again = await run("set", "imports", "end", "--json", "--yes")

    assert result.exit_code == 0
    assert moved == [(partition, 0) for partition in range(bench.settings.partitions)]
    assert [(each["skipped"], each["to"]) for each in json.loads(again.stdout)] == [(end, end) for end in ends.values()]
    assert await stored(bench) == sorted(ends.items())


async def test_a_worker_that_was_frozen_while_its_position_was_moved_moves_nothing(bench: Bench) -> None:
    """Its chunk begins where the moved position stands, in a topic that was made anew."""
    await bench.feed(["1"] * COUNT)
    frozen, moved = asyncio.Event(), asyncio.Event()
    prepare = bench.ledger.prepare

    async def freezing(messages: Any) -> Any:
        async for each in prepare(messages):
            frozen.set()
            await moved.wait()
            yield each

    bench.ledger.prepare = freezing  # type: ignore[method-assign]
    async with bench.running():
        await asyncio.wait_for(frozen.wait(), 30)
        standings = await looking.look(bench.settings, IMPORTS.name)
        async with transaction(bench.settings) as connection:
            topic = bench.settings.topic(IMPORTS.name)
            await moving.move_within(connection, topic, planning.moves(standings, "start", ()))
        transactions = bench.ledger.transactions
        moved.set()
        await bench.until_processed(COUNT)

    # What it had read before is left; all is read again.
    assert transactions == 0
    assert (bench.ledger.sizes[0], sum(bench.ledger.sizes)) == (0, COUNT)
    assert await bench.items() == list(range(COUNT))


async def test_a_move_that_was_planned_before_something_moved_is_refused_whole(bench: Bench) -> None:
    await bench.feed(["1"] * COUNT)
    planned = planning.moves(await looking.look(bench.settings, IMPORTS.name), "end", ())
    await processed(bench)
    before = await stored(bench)

    with pytest.raises(CannotRun, match="has changed meanwhile"):
        await moving.move(bench.settings, IMPORTS.name, planned)

    assert await stored(bench) == before


async def test_what_a_transaction_has_still_to_publish_stays_with_its_position(bench: Bench, run: Run) -> None:
    await bench.feed(["1"] * COUNT)
    await processed(bench)
    before = {number: each.outbox for number, each in (await progress.load(bench.pool, bench.settings.topic(IMPORTS.name))).items()}
    await run("set", "imports", "start", "--yes")
    after = {number: each.outbox for number, each in (await progress.load(bench.pool, bench.settings.topic(IMPORTS.name))).items()}

    assert any(before.values())
    assert after == before


async def test_nobody_is_blamed_for_what_comes_next_where_a_position_was_moved_to(bench: Bench, run: Run) -> None:
    await bench.feed(["1"])
    await bench.pool.execute("UPDATE progress SET holder = 'dead', trying = true, deaths = 3")
    await run("set", "imports", "start", "--yes")
    await processed(bench, 1)

    assert await bench.items() == [0]
