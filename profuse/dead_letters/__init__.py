"""What could not be processed, from the operator's side: find it, read it, send it again, or give it up."""

from collections.abc import AsyncIterator, Callable
from dataclasses import astuple, replace
from datetime import timedelta
from typing import Any

import asyncpg
from sqlalchemy import Row

from profuse.dead_letters import letters, replaying
from profuse.dead_letters.letters import Letter
from profuse.dead_letters.selection import LIST, Key, Wanted, key, shown_key, wanted
from profuse.dead_letters.showing import content, shown, table
from profuse.postgres import plain_connection, transaction
from runtime.errors import CannotRun
from schemas.settings import Settings
from store import dead_letters

DROPPED_TOGETHER = 1_000

__all__ = ["Wanted", "as_of_now", "count", "delete", "find", "replay", "shown", "table", "unreplayed", "value", "wanted", "whole"]


async def find(settings: Settings, wanted: Wanted, limit: int | None = None, pool: asyncpg.Pool | None = None) -> list[Letter]:
    """By a connection of `pool`, if there is one; raises `CannotRun` where one that is named is not there."""
    async with transaction(settings, pool) as connection:
        found = await letters.find(connection, wanted, limit)
    if missing := sorted(set(wanted.keys) - {letter.key for letter in found}):
        raise CannotRun(f"There is no dead letter {shown_key(settings, missing[0])}: {LIST}")
    return found


async def whole(settings: Settings, id_: str, pool: asyncpg.Pool | None = None) -> dict[str, Any]:
    """One with its headers, key and payload."""
    letter, stored = await _stored(settings, id_, pool)
    return shown(settings, letter) | {"headers": stored.headers, "key": content(stored.key), "payload": content(stored.value)}


async def value(settings: Settings, id_: str, pool: asyncpg.Pool | None = None) -> bytes | None:
    """The payload of one, as it was published."""
    _, stored = await _stored(settings, id_, pool)
    found: bytes | None = stored.value
    return found


async def count(settings: Settings, wanted: Wanted, most: int | None = None, pool: asyncpg.Pool | None = None) -> int:
    """How many there are, of which no more than `most` are counted; raises `CannotRun` where one that is named is not there."""
    if wanted.keys:
        return len(await find(settings, wanted, pool=pool))
    async with transaction(settings, pool) as connection:
        return await letters.count(connection, wanted, most)


def unreplayed(wanted: Wanted) -> Wanted:
    """What was replayed before is left out, unless it is named."""
    return wanted if wanted.keys else replace(wanted, unreplayed=True)


async def as_of_now(settings: Settings, wanted: Wanted) -> Wanted:
    """Without those that die later, unless they are wanted, and by ages as they are now."""
    async with transaction(settings) as connection:
        return wanted.as_of(await letters.now(connection))


async def replay(settings: Settings, wanted: Wanted, wait: timedelta, advance: Callable[[int], object] = int) -> list[Letter]:
    """What became of each; what was replayed before is left out, unless it is named. `advance` is told how many more are out."""
    if not await count(settings, wanted := unreplayed(wanted)):
        return []
    return await replaying.replay(settings, _pages(settings, wanted, replaying.PAGE), wait, advance)


async def delete(settings: Settings, wanted: Wanted, advance: Callable[[int], object] = int) -> int:
    """How many are gone; an item that a replay left without an answer gets one."""
    total = 0
    async for keys in _pages(settings, wanted, DROPPED_TOGETHER):
        async with plain_connection(settings) as connection, connection.transaction():
            total += await dead_letters.drop(connection, list(map(astuple, keys)))
        advance(len(keys))
    return total


async def _stored(settings: Settings, id_: str, pool: asyncpg.Pool | None) -> tuple[Letter, Row[Any, Any, Any]]:
    """One, and its headers, key and payload."""
    (letter,) = await find(settings, Wanted(keys=[key(settings, id_)]), pool=pool)
    async with transaction(settings, pool) as connection:
        return letter, await letters.content_of(connection, letter.key)


async def _pages(settings: Settings, wanted: Wanted, size: int) -> AsyncIterator[list[Key]]:
    wanted = await as_of_now(settings, wanted)
    last: Key | None = None
    while True:
        async with transaction(settings) as connection:
            keys = await letters.page(connection, wanted, last, size)
        if not keys:
            return
        yield keys
        last = keys[-1]
