"""Dead letters are taken up again in an order that locks nobody up, and take back nobody else's answers."""

import asyncpg
import msgspec
import pytest

from profuse.dead_letters import replaying
from profuse.dead_letters.selection import Key
from profuse.postgres import transaction
from schemas.item_errors import CANNOT_BE_PROCESSED
from schemas.settings import Settings
from tests.launching import new_world

_LETTER = """
INSERT INTO dead_letters (topic, partition, "offset", headers, reason, batch, item, value) VALUES ('t', 0, $1, '[]', 'any', $2, $3, $4)
"""

_ANSWER = "INSERT INTO results (batch, chunk, items, profiles, errors, custom_data) VALUES ($1, 0, ARRAY[0], $2, $3, '{}')"


async def test_answers_are_taken_back_in_the_order_in_which_matchers_lock_batches(tables: Settings, pool: asyncpg.Pool) -> None:
    names = [(bytes([batch]) * 12, item) for batch in (3, 2, 1) for item in (2, 1, 0)]
    values = [batch + bytes([item]) for batch, item in names]
    for offset, (batch, item) in enumerate(names):
        await pool.execute(_LETTER, offset, batch, item, values[offset])
    async with transaction(tables) as connection:
        records = await replaying._reopen(connection, "t", [Key("t", 0, offset) for offset in range(len(names))])

    assert [record.value for record in records] == sorted(values)


@pytest.mark.promise("P-DOOR-17")
async def test_the_same_item_of_another_batch_keeps_its_answer(tables: Settings, pool: asyncpg.Pool) -> None:
    world = await new_world(pool)
    ours, theirs = [await world.batch(1) for _ in range(2)]
    for batch in (ours, theirs):
        await pool.execute("INSERT INTO batch_progress (batch, total, done, failed) VALUES ($1, 1, B'1', 1)", batch)
        await pool.execute(_ANSWER, batch, bytes(12), msgspec.json.encode({"0": CANNOT_BE_PROCESSED.entry()}).decode())
    async with transaction(tables) as connection:
        await replaying._take_back(connection, ours, 0)

    assert [row["batch"] for row in await pool.fetch("SELECT batch FROM results")] == [theirs]
