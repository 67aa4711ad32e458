"""Topics that were made anew, grew, lost records, or are older than the database: what an operator sees, and how it goes on."""

import json

import pytest
from aiokafka.admin import NewPartitions, RecordsToDelete
from aiokafka.structs import TopicPartition

from profuse.positions.standing import BEYOND, OTHER, UNPLACED
from schemas.topics import IMPORTS
from tests.kafka.conftest import Bench, until
from tests.kafka.positions.operating import COUNT, Run, changed, listed, made_anew, processed, stored

pytestmark = pytest.mark.promise("P-OPS-54")


@pytest.mark.promise("P-OPS-33", "P-OPS-14")
async def test_a_topic_that_was_made_anew_is_told_and_read_from_its_start(bench: Bench, run: Run) -> None:
    await bench.feed(["1"] * COUNT)
    await processed(bench)
    await made_anew(bench)
    await bench.feed(["1"] * 2 * COUNT, first=COUNT)
    states = {each["state"] for each in await listed(run)}
    result = await run("set", "imports", "start", "--yes")
    await processed(bench, 2 * COUNT)

    assert OTHER in states
    assert result.exit_code == 0, result.exception
    assert await bench.items() == list(range(3 * COUNT))


async def test_letters_whose_offsets_would_mean_other_records_have_to_go_first(bench: Bench, run: Run) -> None:
    await bench.feed(["unknown"] * COUNT)
    await processed(bench)
    await made_anew(bench)
    refused = await run("set", "imports", "start", "--yes")
    await bench.pool.execute("DELETE FROM dead_letters")
    result = await run("set", "imports", "start", "--yes")

    assert f"{COUNT} dead letters of imports are known by offsets" in str(refused.exception)
    assert result.exit_code == 0, result.exception


@pytest.mark.promise("P-OPS-33")
async def test_partitions_that_were_added_get_positions_and_the_others_stay(bench: Bench, run: Run) -> None:
    await bench.feed(["1"] * COUNT)
    await processed(bench)
    before, added = await stored(bench), bench.settings.partitions
    await changed(bench.settings, "create_partitions", {bench.settings.topic(IMPORTS.name): NewPartitions(added + 2)})
    await until(lambda: _has(run, added + 2))
    unplaced = [each["partition"] for each in await listed(run) if each["state"] == UNPLACED]
    result = await run("add", "imports", "--yes")

    assert unplaced == [added, added + 1]
    assert result.exit_code == 0, result.exception
    assert await stored(bench) == [*before, (added, 0), (added + 1, 0)]


async def _has(run: Run, partitions: int) -> bool:
    return len(await listed(run)) == partitions


@pytest.mark.promise("P-OPS-33")
async def test_a_partition_that_lost_records_goes_on_at_the_first_that_it_has(bench: Bench, run: Run) -> None:
    await bench.feed(["1"] * COUNT)
    ends = {each["partition"]: each["end"] for each in await listed(run)}
    partition, end = max(ends.items(), key=lambda each: each[1])
    where = TopicPartition(bench.settings.topic(IMPORTS.name), partition)
    await changed(bench.settings, "delete_records", {where: RecordsToDelete(2)})
    beyond = await run("set", "imports", "1", "--partition", str(partition), "--yes")
    result = await run("set", "imports", "start", "--partition", str(partition), "--json", "--yes")
    await processed(bench, COUNT)

    assert f"imports/{partition} has no offset 1: it begins at 2, and {end} comes next." in str(beyond.exception)
    assert json.loads(result.stdout)[0]["meaning"] == "2 records were deleted before they were processed"
    assert len(await bench.items()) == COUNT - 2


async def test_a_topic_that_is_older_than_the_database_goes_on_at_its_end_and_gives_up_nothing(bench: Bench, run: Run) -> None:
    await bench.feed(["1"] * COUNT)
    await processed(bench)
    topic = bench.settings.topic(IMPORTS.name)
    # As if the broker had come back from a snapshot that lacks the last of them.
    await bench.pool.execute("UPDATE progress SET position = position + 5 WHERE topic = $1", topic)
    ends = {each["partition"]: each["end"] for each in await listed(run)}
    states = {each["state"] for each in await listed(run)}
    result = await run("set", "imports", "end", "--yes")
    await bench.feed(["1"] * COUNT, first=COUNT)
    await processed(bench, 2 * COUNT)

    assert states == {BEYOND}
    assert result.exit_code == 0, result.exception
    assert await bench.items() == list(range(2 * COUNT))
    assert sum(ends.values()) == COUNT
