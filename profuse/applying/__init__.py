"""Brings accounts, tokens, databases, resources and triggers to what a file says."""

import secrets
from collections.abc import Callable
from dataclasses import replace

from profuse.applying import storage
from profuse.applying.failures import BadFile
from profuse.applying.file import read
from profuse.applying.indexing import index
from profuse.applying.planning import plan, prune
from profuse.applying.things import Change, Kind
from profuse.applying.wanting import wanted
from profuse.postgres import transaction
from schemas.settings import Settings
from schemas.tokens import hashed

__all__ = ["BadFile", "apply"]

Tell = Callable[[str], None]


def _silent(line: str) -> None:
    """For callers who show nobody anything."""


async def apply(
    settings: Settings, text: str, *, pruning: bool = False, reindexing: bool = False, tell: Tell = _silent, progress: Tell = _silent
) -> list[str]:
    """Returns what changed, a line each; raises `BadFile`, and then nothing did.

    `tell` gets every line as it comes true, also of profiles that are filed anew after the change; `progress` how far that is.
    """
    things = wanted(read(text))
    hashes = [thing.values["hash"] for thing in things.values() if "hash" in thing.values]
    async with transaction(settings) as connection:
        await storage.wait_for_turn(connection, settings.prefix)
        stored = await storage.load(connection, {key.account for key in things}, hashes)
        changes = plan(things, stored, reindexing=reindexing) + (prune(things, stored) if pruning else [])
        lines = []
        for change in changes:
            complete, line = _with_token(change)
            await storage.write(connection, complete)
            lines.append(line)
    for line in lines:
        tell(line)
    await index(settings, {key for key in things if key.kind is Kind.DATABASE}, tell, progress, reindexing=reindexing)
    return lines


def _with_token(change: Change) -> tuple[Change, str]:
    """Make the token that the file wants without a value; only now is it ever shown."""
    if change.key.kind is not Kind.TOKEN or not change.is_new or "hash" in change.values:
        return change, str(change)
    token = secrets.token_urlsafe(24)
    return replace(change, values={**change.values, "hash": hashed(token)}), f"{change}; its value, shown only now: {token}"
