"""A dead letter that is replayed counts once, whatever happened before: real Kafka, Postgres and matcher."""

import asyncio
import json
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from datetime import timedelta
from typing import Any

import pytest
from aiokafka import AIOKafkaConsumer
from aiokafka.structs import TopicPartition

from profuse.dead_letters import delete, find, replay
from profuse.dead_letters.letters import Letter
from profuse.dead_letters.selection import Wanted
from runtime.errors import CannotRun
from schemas.messages import ProfileImport
from schemas.settings import Settings
from schemas.topics import IMPORTS, MATCHES, Outgoing, item_headers
from tests.kafka.conftest import Bench, until
from tests.matching import World, item, new_world
from workers.matcher.room import open_matcher

WAIT = timedelta(seconds=15)
UNPROCESSED = {"error": 400, "error_text": "Cannot be processed"}
GARBAGE = b"garbage"


@dataclass
class Scene:
    """A batch of three people, whose messages the test sends as it likes."""

    settings: Settings
    bench: Bench
    world: World
    messages: list[ProfileImport]

    @property
    def batch(self) -> bytes:
        return bytes.fromhex(self.messages[0].batch)

    async def send(self, *values: tuple[int, bytes]) -> None:
        """Into one partition, so that they are one chunk."""
        topic = self.settings.topic(IMPORTS.name)
        await self.bench.publisher.publish([Outgoing(topic, b"0", value, item_headers(self.batch, number)) for number, value in values])

    async def mend(self, number: int) -> None:
        """What a fixed reader would make of the payload."""
        await self.bench.pool.execute("UPDATE dead_letters SET value = $2 WHERE item = $1", number, self.messages[number].encode())

    async def replay(self, **wanted: Any) -> list[Letter]:
        return await replay(self.settings, Wanted(**wanted), WAIT)

    async def answered(self) -> tuple[int, int, int]:
        """Bits, imported and failed items."""
        row = await self.bench.pool.fetchrow(
            "SELECT bit_count(done)::int, imported, failed FROM batch_progress WHERE batch = $1", self.batch
        )
        return row[0], row[1], row[2]

    async def letters(self) -> list[Letter]:
        return await find(self.settings, Wanted())

    async def until_dead(self, count: int) -> None:
        await until(lambda: self._has_dead(count))

    async def _has_dead(self, count: int) -> bool:
        return len(await self.letters()) == count


@pytest.fixture
async def scene(bench: Bench) -> Scene:
    world = await new_world(bench.pool)
    people = [item(email=f"{name}@shop.test") for name in ("ann", "ben", "cid")]
    return Scene(bench.settings, bench, world, await world.messages(people))


@asynccontextmanager
async def matching(scene: Scene) -> AsyncIterator[None]:
    stop = asyncio.Event()
    async with open_matcher(scene.settings) as matcher, asyncio.TaskGroup() as tasks:
        tasks.create_task(matcher.run(stop))
        try:
            yield
        finally:
            stop.set()


async def matched(scene: Scene) -> list[dict[str, bytes]]:
    """The headers of all that the launcher is told."""
    topic = scene.settings.topic(MATCHES.name)
    async with AIOKafkaConsumer(topic, bootstrap_servers=scene.settings.kafka, auto_offset_reset="earliest") as consumer:
        ends = sum((await consumer.end_offsets([TopicPartition(topic, each) for each in consumer.partitions_for_topic(topic)])).values())
        return [dict((await consumer.getone()).headers) for _ in range(ends)]


async def _has_answered(scene: Scene, count: int) -> bool:
    return (await scene.answered())[0] == count


@pytest.mark.promise("P-DOOR-17")
async def test_a_replay_replaces_the_items_entry_and_no_other(scene: Scene) -> None:
    await scene.send((0, GARBAGE), (1, scene.messages[1].encode()), (2, GARBAGE))
    async with matching(scene):
        await scene.until_dead(2)
        before = await scene.world.entries(scene.batch), await scene.answered()
        await scene.mend(0)
        keys = {letter.item: letter.key for letter in await scene.letters()}
        # One by one: what is left of their common row is named anew in between.
        told = [*await scene.replay(keys=[keys[0]]), *await scene.replay(batch=scene.batch)]

    entries = await scene.world.entries(scene.batch)
    assert before == ([UNPROCESSED, entries[1], UNPROCESSED], (3, 1, 2))
    assert [letter.fate for letter in told] == ["imported", "dead again"]
    assert (await scene.world.profile(entries[0]))["email"] == "ann@shop.test"
    assert (entries[2], await scene.answered()) == (UNPROCESSED, (3, 2, 1))


@pytest.mark.promise("P-DOOR-17")
async def test_a_replay_leaves_the_name_by_which_launches_find_what_the_others_brought(scene: Scene) -> None:
    await scene.send((0, GARBAGE), (1, scene.messages[1].encode()), (2, GARBAGE))
    named = "SELECT chunk FROM results WHERE batch = $1 AND 1 = ANY(items)"
    async with matching(scene):
        await scene.until_dead(2)
        before = await scene.bench.pool.fetchval(named, scene.batch)
        await scene.mend(0)
        await scene.replay(batch=scene.batch)

    (told, *_) = await matched(scene)
    assert (before, await scene.bench.pool.fetchval(named, scene.batch)) == (1, 1)
    assert told["item"] == b"1"


@pytest.mark.promise("P-DOOR-17")
async def test_replaying_again_and_from_two_places_counts_the_item_once(scene: Scene) -> None:
    await scene.send((0, GARBAGE))
    async with matching(scene):
        await scene.until_dead(1)
        await scene.mend(0)
        keys = [letter.key for letter in await scene.letters()]
        told = [letter.fate for letters in await asyncio.gather(*(scene.replay(keys=keys) for _ in range(3))) for letter in letters]
        told += [letter.fate for letter in await scene.replay(keys=keys)]

    assert told == ["imported"] * 4
    assert await scene.answered() == (1, 1, 0)
    assert await scene.replay() == []


@pytest.mark.promise("P-DOOR-17")
async def test_a_replay_that_dies_before_it_published_is_repeated(scene: Scene) -> None:
    await scene.send((0, GARBAGE))
    async with matching(scene):
        await scene.until_dead(1)
        await scene.mend(0)
        with pytest.raises(CannotRun, match="replay again"):
            await replay(scene.settings.model_copy(update={"kafka": "127.0.0.1:1"}), Wanted(), WAIT)
        between = [letter.fate for letter in await scene.letters()], await scene.answered()
        told = await scene.replay()

    assert between == (["dead"], (0, 0, 0))
    assert ([letter.fate for letter in told], await scene.answered()) == (["imported"], (1, 1, 0))


@pytest.mark.promise("P-OPS-42", "P-DOOR-17")
async def test_a_letter_whose_replay_broke_off_leaves_its_item_answered_when_it_is_dropped(scene: Scene) -> None:
    await scene.send((0, GARBAGE))
    async with matching(scene):
        await scene.until_dead(1)
    with pytest.raises(CannotRun, match="replay again"):
        await replay(scene.settings.model_copy(update={"kafka": "127.0.0.1:1"}), Wanted(), WAIT)
    dropped = await delete(scene.settings, Wanted())

    assert (dropped, await scene.world.entries(scene.batch)) == (1, [UNPROCESSED])
    assert await scene.answered() == (1, 0, 1)


@pytest.mark.promise("P-DOOR-17")
async def test_an_answer_that_came_from_another_message_stays(scene: Scene) -> None:
    await scene.send((0, scene.messages[0].encode()), (0, GARBAGE))
    async with matching(scene):
        await scene.until_dead(1)
        await scene.mend(0)
        told = await scene.replay()

    assert ([letter.fate for letter in told], await scene.answered()) == (["imported"], (1, 1, 0))
    # Imported anew it would be launched anew.
    assert len(await matched(scene)) == 1


@pytest.mark.promise("P-DOOR-17")
async def test_a_letter_of_no_known_item_is_published_again_as_it_came(scene: Scene) -> None:
    topic, headers = scene.settings.topic(IMPORTS.name), (("trace", b"\xff\x00"), ("plain", b"text"))
    await scene.bench.publisher.publish([Outgoing(topic, b"a key", GARBAGE, headers)])
    async with matching(scene):
        await scene.until_dead(1)
        told = await scene.replay()
        await scene.until_dead(2)

    first, second = await scene.bench.pool.fetch('SELECT key, value, headers FROM dead_letters ORDER BY "offset"')
    assert [letter.fate for letter in told] == ["published again"]
    assert tuple(first) == tuple(second)
    assert (first["key"], first["value"]) == (b"a key", GARBAGE)
    assert json.loads(first["headers"]) == [["trace", {"hex": "ff00"}], ["plain", "text"]]


@pytest.mark.promise("P-DOOR-17")
async def test_a_letter_of_another_topic_takes_no_answer_back(scene: Scene) -> None:
    await scene.send((0, GARBAGE))
    async with matching(scene):
        await scene.until_dead(1)
    await scene.bench.pool.execute("UPDATE dead_letters SET topic = $1", scene.settings.topic(MATCHES.name))
    await scene.replay()

    assert await scene.answered() == (1, 0, 1)


async def test_a_matched_message_names_its_batch_and_chunk_when_it_dies(scene: Scene) -> None:
    await scene.send((0, scene.messages[0].encode()))
    async with matching(scene):
        await until(lambda: _has_answered(scene, 1))

    assert await matched(scene) == [dict(item_headers(scene.batch, 0))]
