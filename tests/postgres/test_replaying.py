"""Dead letters are taken up again in an order that locks nobody up."""

import asyncpg

from profuse.dead_letters import replaying
from profuse.dead_letters.wanting import Key
from profuse.postgres import transaction
from schemas.settings import Settings

_LETTER = """
INSERT INTO dead_letters (topic, partition, "offset", headers, reason, batch, item, value) VALUES ('t', 0, $1, '[]', 'any', $2, $3, $4)
"""


async def test_answers_are_taken_back_in_the_order_in_which_matchers_lock_batches(tables: Settings, pool: asyncpg.Pool) -> None:
    names = [(bytes([batch]) * 12, item) for batch in (3, 2, 1) for item in (2, 1, 0)]
    values = [batch + bytes([item]) for batch, item in names]
    for offset, (batch, item) in enumerate(names):
        await pool.execute(_LETTER, offset, batch, item, values[offset])
    async with transaction(tables) as connection:
        records = await replaying._reopen(connection, "t", [Key("t", 0, offset) for offset in range(len(names))])

    assert [record.value for record in records] == sorted(values)
