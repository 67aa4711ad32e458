"""Rows as the rooms would have left them."""

import json
from datetime import timedelta

from schemas.ids import TriggerId
from tests.launching import World

_PROGRESS = "INSERT INTO batch_progress (batch, total, done, imported, failed) VALUES ($1, $2, repeat($3, $2)::varbit, $4, $5)"
_RESULTS = "INSERT INTO results (batch, chunk, items, profiles, errors, custom_data) VALUES ($1, 0, $2, $3, $4::jsonb, '{}')"
_GROUP = """
INSERT INTO launches (account, batch, trigger, attempt, first_item, due_at, run_at, chunk, items, profiles, done, launched, failed,
    finished_at)
VALUES (1, $1, $2, $3, ($4::int[])[1], now() + $5::interval, now() + $5::interval, 0, $4, $6, $7::text::varbit, $8, $9,
    CASE WHEN $8::int + $9::int > 0 THEN now() END)
"""
_FAILURE = """
INSERT INTO failures (batch, trigger, item, profile, reason, attempt, first_item, run) VALUES ($1, $2, $3, $4, $5, 0, $3, 0)
"""
_LETTER = """
INSERT INTO dead_letters (topic, partition, "offset", key, value, headers, reason, batch, item, account)
VALUES ($1, 0, $2, $3, $4, $5::jsonb, $6, $7, $8, 1)
"""
PROFILE = b"\x07" * 12


async def answered(world: World, total: int, errors: dict[int, dict[str, object]], published: bool = True) -> bytes:
    """A batch of which every item is answered."""
    batch = await world.batch(total)
    if published:
        await world.pool.execute("UPDATE batches SET published_at = now() WHERE id = $1", batch)
    await world.pool.execute(_PROGRESS, batch, total, "1", total - len(errors), len(errors))
    profiles = b"".join(bytes(12) if item in errors else PROFILE for item in range(total))
    stored = json.dumps({str(item): error for item, error in errors.items()})
    await world.pool.execute(_RESULTS, batch, list(range(total)), profiles, stored)
    return batch


async def group(
    world: World,
    batch: bytes,
    *items: int,
    due_in: timedelta = timedelta(hours=1),
    trigger: TriggerId | None = None,
    launched: int = 0,
    failed: int = 0,
) -> None:
    done = ("1" if launched + failed else "0") * len(items)
    which = world.trigger if trigger is None else trigger
    await world.pool.execute(_GROUP, batch, which, 0, list(items), due_in, PROFILE * len(items), done, launched, failed)


async def failure(world: World, batch: bytes, item: int, reason: str) -> None:
    await world.pool.execute(_FAILURE, batch, world.trigger, item, PROFILE, reason)


async def letter(
    world: World,
    topic: str,
    offset: int,
    value: bytes | None,
    reason: str,
    batch: bytes | None = None,
    item: int | None = None,
    key: bytes = b"k",
) -> None:
    await world.pool.execute(_LETTER, topic, offset, key, value, '[["item", "0"]]', reason, batch, item)
