"""What could not be processed, from the operator's side: find it, read it, send it again, or give it up."""

from collections.abc import Sequence
from datetime import timedelta
from typing import Any

from profuse.dead_letters import letters, replaying
from profuse.dead_letters.letters import Letter
from profuse.dead_letters.showing import content, shown, table
from profuse.dead_letters.wanting import LIST, Key, Wanted, key, shown_key, wanted
from profuse.postgres import transaction
from profuse.stack.failures import CannotRun
from schemas.settings import Settings

__all__ = ["delete", "find", "replay", "shown", "table", "wanted", "whole"]


async def find(settings: Settings, wanted: Wanted, limit: int | None = None) -> list[Letter]:
    """Raises `CannotRun` where one that is named is not there."""
    async with transaction(settings) as connection:
        found = await letters.find(connection, wanted, limit)
    if missing := sorted(set(wanted.keys) - {letter.key for letter in found}):
        raise CannotRun(f"There is no dead letter {shown_key(settings, missing[0])}: {LIST}")
    return found


async def whole(settings: Settings, id_: str) -> dict[str, Any]:
    """One with its headers, key and payload."""
    (letter,) = await find(settings, Wanted(keys=[key(settings, id_)]))
    async with transaction(settings) as connection:
        stored = await letters.content_of(connection, letter.key)
    return shown(settings, letter) | {"headers": stored.headers, "key": content(stored.key), "payload": content(stored.value)}


async def replay(settings: Settings, wanted: Wanted, wait: timedelta) -> list[Letter]:
    """What became of each; what was replayed before is left out, unless it is named."""
    chosen = [letter.key for letter in await find(settings, wanted) if wanted.keys or letter.replayed_at is None]
    return await replaying.replay(settings, chosen, wait)


async def delete(settings: Settings, keys: Sequence[Key]) -> int:
    async with transaction(settings) as connection:
        return await letters.delete(connection, keys)
