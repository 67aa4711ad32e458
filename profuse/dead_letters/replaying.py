"""Sends dead letters again: their items' answers are taken back, then the messages are published as they were."""

import asyncio
import time
from collections.abc import AsyncIterator, Callable, Sequence
from datetime import timedelta
from typing import Any

import msgspec
from sqlalchemy import Row, Text, cast, func, select, text, update
from sqlalchemy.ext.asyncio import AsyncConnection

from profuse.dead_letters.letters import Letter, among, find
from profuse.dead_letters.selection import Key, Wanted
from profuse.postgres import transaction
from runtime.errors import CannotRun
from runtime.kafka import BrokerUnavailable
from runtime.producer import Publisher, open_publisher
from schemas.item_errors import CANNOT_BE_PROCESSED
from schemas.settings import Settings
from schemas.tables import dead_letters
from schemas.topics import IMPORTS, Outgoing
from workers.exactly_once.dead_letters import headers_of

# Payloads that are in memory at a time, of at most 256 KiB each.
PAGE = 100
_LOOK_EVERY = 0.2
# A page's letters are held while it is published, which takes 15 s at most and comes after another transaction; whoever is frozen
# meanwhile holds them no longer than that. Another replay of the same ones is waited for.
_HELD = {"idle_in_transaction_session_timeout": "60s", "transaction_timeout": "90s", "lock_timeout": "20s"}

_ITS_ENTRY = "results.batch = :batch AND :item = ANY(results.items) AND results.errors -> CAST(:item AS text) = CAST(:entry AS jsonb)"
# No launch refers to the name of such a row: all of its items died together, and none has custom_data.
_TAKE_BACK = (
    text(f"DELETE FROM results WHERE {_ITS_ENTRY} AND cardinality(items) = 1"),  # noqa: S608  # a constant
    text(f"""
    UPDATE results SET
        chunk = (SELECT min(other) FROM unnest(items) AS other WHERE other <> :item),
        items = array_remove(items, :item),
        profiles = overlay(profiles PLACING '' FROM 12 * (array_position(items, :item) - 1) + 1 FOR 12),
        errors = errors - CAST(:item AS text)
    WHERE {_ITS_ENTRY}
    """),  # noqa: S608  # a constant
)
_CLEAR = text("UPDATE batch_progress SET done = set_bit(done, :item, 0), failed = failed - 1 WHERE batch = :batch")


async def replay(settings: Settings, pages: AsyncIterator[list[Key]], wait: timedelta, advance: Callable[[int], object]) -> list[Letter]:
    """What became of each, after at most `wait`; safe to repeat."""
    sent: list[list[Key]] = []
    async with open_publisher(settings) as publisher:
        async for keys in pages:
            await _replay(settings, publisher, keys)
            sent.append(keys)
            advance(len(keys))
    deadline = time.monotonic() + wait.total_seconds()
    return [letter for keys in sent for letter in await _settled(settings, keys, deadline)]


async def _replay(settings: Settings, publisher: Publisher, keys: Sequence[Key]) -> None:
    async with transaction(settings, **_HELD) as holding:
        letters = await _hold(holding, keys)
        # Apart, so that the item has no answer any more when its message is read.
        async with transaction(settings) as connection:
            await _reopen(connection, settings.topic(IMPORTS.name), letters)
        try:
            await publisher.publish([Outgoing(it.topic, it.key or b"", it.value or b"", headers_of(it.headers)) for it in letters])
        except BrokerUnavailable as error:
            raise CannotRun(f"Kafka at {settings.kafka} does not confirm ({error}): replay again when it does, nothing is lost") from error
        # Only now: a replay that dies before this is repeated, and whatever was published twice counts once.
        await holding.execute(update(dead_letters).where(among(keys)).values(replayed_at=func.now()))


async def _hold(connection: AsyncConnection, keys: Sequence[Key]) -> Sequence[Row[*tuple[Any, ...]]]:
    """The letters, which nobody drops before the transaction ends: he would answer an item whose message is on its way."""
    names = ("topic", "key", "value", "batch", "item")
    statement = (
        select(*(dead_letters.c[name] for name in names), cast(dead_letters.c.headers, Text).label("headers"))
        .where(among(keys))
        # In the order in which everybody locks them.
        .order_by(*(dead_letters.c[name] for name in ("topic", "partition", "offset")))
        .with_for_update()
    )
    return (await connection.execute(statement)).all()


async def _reopen(connection: AsyncConnection, imports: str, letters: Sequence[Row[*tuple[Any, ...]]]) -> None:
    """Take the answers of their items back."""
    named = {(letter.batch, letter.item) for letter in letters if letter.topic == imports and None not in (letter.batch, letter.item)}
    # Batches are locked in the order in which matchers lock them.
    for batch, item in sorted(named):
        await _take_back(connection, batch, item)


async def _take_back(connection: AsyncConnection, batch: bytes, item: int) -> None:
    """Let the item be answered again, unless its answer came from another message than the dead one."""
    entry = msgspec.json.encode(CANNOT_BE_PROCESSED.entry()).decode()
    for statement in _TAKE_BACK:
        if (await connection.execute(statement, {"batch": batch, "item": item, "entry": entry})).rowcount:
            await connection.execute(_CLEAR, {"batch": batch, "item": item})
            return


async def _settled(settings: Settings, keys: Sequence[Key], deadline: float) -> list[Letter]:
    while True:
        async with transaction(settings) as connection:
            letters = await find(connection, Wanted(keys=keys))
        if time.monotonic() >= deadline or all(letter.fate != "waiting" for letter in letters):
            return letters
        await asyncio.sleep(_LOOK_EVERY)
