"""The database was restored from a dump that is older than the topics."""

from dataclasses import replace
from typing import Any

import pytest

from schemas.ids import new_id
from schemas.messages import ProfilesMatched
from schemas.topics import MATCHES, Outgoing, item_headers
from tests.kafka.conftest import Bench, batch_of, published, until
from tests.kafka.positions.operating import COUNT, Run, made_anew, processed

pytestmark = pytest.mark.promise("P-OPS-53")

_RESULT = "INSERT INTO results (batch, chunk, items, profiles, errors, custom_data) VALUES ($1, 0, '{0,1}', $2, '{}', '{}')"


async def test_a_database_is_not_taken_for_a_restored_one_while_a_worker_reads_its_topics(bench: Bench, run: Run) -> None:
    async with bench.running("matcher") as stream:
        await until(lambda: _reads(stream))
        result = await run("restored", "--yes")

    assert "1 matchers read imports" in str(result.exception)


async def _reads(stream: Any) -> bool:
    return not stream.problems()


async def test_topics_that_are_not_those_of_the_dump_are_told_from_it(bench: Bench, run: Run) -> None:
    await bench.feed(["1"] * COUNT)
    await processed(bench)
    await made_anew(bench)
    result = await run("restored", "--yes")

    assert "the topic was made anew" in str(result.exception)
    assert "docs/operations.md" in str(result.exception)


def announced(batch: bytes, chunk: int, profiles: bytes) -> Outgoing:
    message = ProfilesMatched(batch=batch.hex(), chunk=chunk, items=[chunk], profiles=profiles.hex(), starts=[])
    return Outgoing("", batch, message.encode(), item_headers(batch, chunk))


async def test_what_the_dump_knows_is_announced_once_more_behind_all_that_came_after_it(bench: Bench, run: Run) -> None:
    """Of two batches one is in the dump; of that one the first chunk has results, and the second one was matched after it."""
    known, unknown, profile, later = await batch_of(bench.pool, 1), new_id(), new_id(), new_id()
    topic = bench.settings.topic(MATCHES.name)
    await bench.pool.execute(_RESULT, known, profile + new_id())
    kept = [announced(known, 0, profile), Outgoing("", known, b"without headers"), Outgoing("", known, b"?", item_headers(known, 0))]
    # The last one as of a dead letter that was replayed after the dump.
    left = [announced(known, 5, later), announced(unknown, 0, later), announced(known, 0, later)]
    await bench.publisher.publish([replace(each, topic=topic) for each in (*kept, *left)])
    result = await run("restored", "--yes")
    again = await run("restored", "--dry-run")
    rows = await bench.pool.fetch("SELECT partition, position FROM progress WHERE topic = $1", topic)
    values = await published(bench.settings, MATCHES.name)

    assert "3 messages of the dump are published once more; 3 of the time after it are left out" in result.stdout
    assert sorted(values) == sorted(each.value for each in (*kept, *left, *kept))
    assert sum(row["position"] for row in rows) == 6
    # Workers that start now read the three, and a repeat would do the same once more.
    assert "3 messages of the dump are published once more; 0 of the time after it" in again.stdout
