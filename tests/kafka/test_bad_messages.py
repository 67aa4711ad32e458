"""What cannot be read, on each topic, with the real rooms: real Kafka, Postgres, matcher and launcher."""

from collections import Counter
from collections.abc import Sequence
from datetime import timedelta
from typing import Any

import msgspec
import pytest
from structlog.testing import capture_logs

from ingest.sql import results
from profuse.dead_letters import replay
from profuse.dead_letters.selection import Wanted
from schemas.ids import new_id
from schemas.messages import ProfileImport
from schemas.topics import EVENTS, IMPORTS, MATCHES, Outgoing, item_headers
from tests.kafka.conftest import Bench, published, until
from tests.kafka.hosting import OPENING, Headers, hosted, says
from tests.matching import World, item, new_world

UNPROCESSED = {"error": 400, "error_text": "Cannot be processed"}
NOBODY = new_id()
NEWER = b'{"v": 3, "new": true}'

# what is wrong with a value, whose headers are good
BAD_VALUES: dict[str, bytes | None] = {
    "a tombstone": None,
    "nothing": b"",
    "garbage": b"\xff\x00{",
    "another message": b'{"v": 1}',
    "an unknown batch": ProfileImport(batch=NOBODY.hex(), item=0, value="a@b.test", data={}).encode(),
}
# what is wrong with headers: nobody can tell whose item it is
BAD_HEADERS: dict[str, Headers] = {
    "none": (),
    "no text": (("batch", b"\xff"), ("item", b"\x00")),
    "no values": (("batch", None), ("item", None)),
    "a batch that is unknown": item_headers(NOBODY, 0),
    "a number that is none": (("batch", NOBODY.hex().encode()), ("item", b"-1")),
}


async def send(bench: Bench, topic: str, value: bytes | None, headers: Headers) -> None:
    """All into one partition, so that they stand in each other's way."""
    await bench.publisher.publish([Outgoing(bench.settings.topic(topic), b"0", value, headers)])  # type: ignore[arg-type]


async def buried(bench: Bench, count: int) -> bool:
    return bool(await bench.pool.fetchval("SELECT count(*) = $1 FROM dead_letters", count))


async def status(bench: Bench, batch: bytes) -> results.Status:
    async with bench.pool.acquire() as connection:
        found = await results.status(connection, 1, batch, timedelta(minutes=1))
    assert found
    return found


@pytest.mark.promise("P-OPS-08", "P-OPS-09")
async def test_the_matcher_fails_what_headers_name_and_imports_the_rest(bench: Bench) -> None:
    world = await new_world(bench.pool)
    messages = await world.messages([item(email=f"{at}@shop.test") for at in range(len(BAD_VALUES) + 1)])
    batch = bytes.fromhex(messages[0].batch)
    for number, value in enumerate(BAD_VALUES.values()):
        await send(bench, IMPORTS.name, value, item_headers(batch, number))
    for headers in (*BAD_HEADERS.values(), item_headers(batch, 99)):
        await send(bench, IMPORTS.name, b"garbage", headers)
    await send(bench, IMPORTS.name, messages[-1].encode(), item_headers(batch, len(BAD_VALUES)))
    with capture_logs() as logs:
        async with hosted("matcher", bench.settings) as room:
            await bench.until_processed(len(BAD_VALUES) + len(BAD_HEADERS) + 2)
            await until(lambda: says(room, ""))

    entries = await world.entries(batch)
    assert (entries[:-1], list(entries[-1])) == ([UNPROCESSED] * len(BAD_VALUES), ["profile_id"])
    assert (await status(bench, batch)).word == "completed"
    assert await buried(bench, len(BAD_VALUES) + len(BAD_HEADERS) + 1)
    # A batch that nobody knows, or an item beyond its batch, is as good as no header.
    assert await bench.pool.fetchval("SELECT count(*) FROM dead_letters WHERE batch IS NULL AND item IS NULL") == len(BAD_HEADERS) + 1
    assert "profuse dead-letters" in next(entry["todo"] for entry in logs if entry["event"] == "messages_set_aside")


def bad_matches(batch: bytes, trigger: int, items: Sequence[int]) -> dict[str, bytes | None]:
    """What is wrong with a message for the launcher."""
    ids = NOBODY.hex() * len(items)
    start = {"trigger": trigger, "items": None}
    # As JSON: the message itself would refuse some of it.
    message = {"v": 1, "batch": batch.hex(), "chunk": 0, "items": list(items), "profiles": ids, "starts": [start]}
    changed: tuple[dict[str, Any], ...] = (
        {"profiles": ids[:-2]},
        {"profiles": "z" * len(ids)},
        {"items": [0, 0]},
        {"starts": [start | {"items": [7]}]},
        {"starts": [start | {"trigger": 10**6}]},
    )
    bad = {f"wrong {next(iter(change))} ({at})": msgspec.json.encode(message | change) for at, change in enumerate(changed)}
    return bad | {"a tombstone": None, "garbage": b"\xff\x00{"}


@pytest.mark.promise("P-EVENT-01", "P-EVENT-02", "P-OPS-31")
async def test_the_launches_of_an_unreadable_message_have_failed_until_it_is_replayed(bench: Bench) -> None:
    world = await new_world(bench.pool)
    good = dict([await imported(bench, world) for _ in bad_matches(NOBODY, 0, ())])
    batches = list(good)
    for batch, value in zip(batches, bad_matches(batches[0], world.trigger, (0, 2)).values(), strict=True):
        await send(bench, MATCHES.name, value, item_headers(batch, 0))
    await send(bench, MATCHES.name, b"garbage", ())
    async with hosted("launcher", bench.settings):
        await until(lambda: buried(bench, len(batches) + 1))
        await until(lambda: given_up(bench))
        failed = [(await status(bench, batch)) for batch in batches]
        # Of garbage nothing else can be made: this is what a mended launcher would read.
        for batch, value in good.items():
            await bench.pool.execute("UPDATE dead_letters SET value = $2 WHERE batch = $1", batch, value)
        told = [letter.fate for batch in batches for letter in await replay(bench.settings, Wanted(batch=batch), timedelta())]
        await until(lambda: scheduled(bench, batches))
        await replay(bench.settings, Wanted(batch=batches[0]), timedelta())

    assert [(each.word, each.imported, each.launches["launch_failed"]) for each in failed] == [("completed", 2, 2)] * len(batches)
    assert told == ["published again"] * len(batches)
    assert [(await status(bench, batch)).launches["launch_failed"] for batch in batches] == [0] * len(batches)
    assert await bench.pool.fetchval("SELECT count(*) FROM launches") == len(batches)
    # That they failed was told of another run.
    assert await bench.pool.fetch("SELECT DISTINCT run FROM launches") == [(1,)]
    events = [msgspec.json.decode(value) for value in await published(bench.settings, EVENTS.name)]
    # The first was replayed twice.
    assert Counter({event["event_id"]: event["event_type"] for event in events}.values()) == {
        "fail": 2 * len(batches),
        "import_api": 2 * len(batches),
    }


async def imported(bench: Bench, world: World) -> tuple[bytes, bytes]:
    """A batch of which the second item failed, whose launches are due in an hour; and what the launcher should have been told."""
    name = new_id().hex()
    messages = await world.messages([item(email=f"0{name}@shop.test"), item("1@b.test", nobody=1), item(email=f"2{name}@shop.test")])
    batch = bytes.fromhex(messages[0].batch)
    await bench.pool.execute("UPDATE batches SET due_at = now() + interval '1 hour' WHERE id = $1", batch)
    return batch, (await world.apply(messages))[0].encode()


async def given_up(bench: Bench) -> bool:
    return bool(await bench.pool.fetchval("SELECT count(*) = count(finished_at) FROM launches"))


async def scheduled(bench: Bench, batches: Sequence[bytes]) -> bool:
    return all([(await status(bench, batch)).launches["scheduled"] == 2 for batch in batches])


@pytest.mark.promise("P-OPS-10")
@pytest.mark.parametrize("name", OPENING)
async def test_a_newer_message_stops_a_rooms_partition_and_says_so(bench: Bench, name: str) -> None:
    topic: dict[str, Any] = {"matcher": IMPORTS, "launcher": MATCHES}
    await send(bench, topic[name].name, NEWER, ())
    with capture_logs() as logs:
        async with hosted(name, bench.settings) as room:
            await until(lambda: says(room, "upgrade this worker first"))

    assert await bench.pool.fetchval("SELECT sum(position) FROM progress") == 0
    assert await buried(bench, 0)
    assert [entry["log_level"] for entry in logs if entry["event"] == "partition_held"] == ["error"]
