"""Brings accounts, tokens, databases, resources, providers, triggers and hooks to what a file says."""

import secrets
from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import NamedTuple

from profuse.applying.desired import wanted
from profuse.applying.file import accounts_of, read
from profuse.applying.indexing import index
from profuse.applying.meaning import Question, questions
from profuse.applying.reservations import of_large_patterns
from profuse.applying.surveying import survey
from profuse.postgres import transaction
from schemas.settings import Settings
from schemas.tokens import hashed
from store.configuration import converting, storage
from store.configuration.model import BadDeclaration, Change, Key, Kind, Wanted
from store.configuration.planning import plan, prune

__all__ = ["BadDeclaration", "apply"]

Tell = Callable[[str], None]


def _silent(line: str) -> None:
    """For callers who show nobody anything."""


async def apply(
    settings: Settings,
    text: str,
    *,
    pruning: bool = False,
    reindexing: bool = False,
    dry: bool = False,
    tell: Tell = _silent,
    progress: Tell = _silent,
) -> list[str]:
    """Returns what changed, or would if it is not `dry`, a line each; raises `BadDeclaration`, and then nothing did.

    `tell` gets every line: what a change means for stored profiles before it is made, what changed, and what was filed anew after it.
    `progress` gets how far it is with what takes long.
    """
    with converting.keeping():
        things = await _things(settings, text)
    how = _How(pruning, reindexing, dry)
    for line in of_large_patterns(things):
        tell(line)
    asked: set[Question] = set()
    while unasked := (attempt := await _attempt(settings, things, asked, how)).unasked:
        for line in await survey(settings, unasked, progress):
            tell(line)
        asked |= unasked
    for line in attempt.lines:
        tell(line)
    if not dry:
        await index(settings, {key for key in things if key.kind is Kind.DATABASE}, tell, progress, reindexing=reindexing)
    return attempt.lines


async def _things(settings: Settings, text: str) -> Mapping[Key, Wanted]:
    try:
        return wanted(read(text))
    except BadDeclaration:
        if not (accounts := accounts_of(text)):
            raise
    # What was stored by the rules of its day does not keep the rest of the file, such as a token that leaked, from its effect.
    async with transaction(settings) as connection:
        stored = await storage.load(connection, accounts, [])
    return wanted(read(text, stored.things))


class _How(NamedTuple):
    pruning: bool
    reindexing: bool
    dry: bool


class _Attempt(NamedTuple):
    """What changed, unless there is something to be asked of stored profiles first: then nothing did."""

    lines: list[str]
    unasked: set[Question]


async def _attempt(settings: Settings, things: Mapping[Key, Wanted], asked: set[Question], how: _How) -> _Attempt:
    """In one short transaction, which never waits for an answer: whatever is to be counted is counted between two of them."""
    hashes = [thing.values["hash"] for thing in things.values() if "hash" in thing.values]
    async with transaction(settings) as connection:
        await storage.wait_for_turn(connection, settings.prefix)
        stored = await storage.load(connection, {key.account for key in things}, hashes)
        changes = plan(things, stored, reindexing=how.reindexing) + (prune(things, stored) if how.pruning else [])
        if unasked := questions(changes, stored) - asked:
            return _Attempt([], unasked)
        if how.dry:
            return _Attempt([str(change) for change in changes], set())
        lines = []
        for change in changes:
            complete, line = _with_token(change)
            await storage.write(connection, complete)
            lines.append(line)
    return _Attempt(lines, set())


def _with_token(change: Change) -> tuple[Change, str]:
    """Make the token that the file wants without a value; only now is it ever shown."""
    if change.key.kind is not Kind.TOKEN or not change.is_new or "hash" in change.values:
        return change, str(change)
    token = secrets.token_urlsafe(24)
    return replace(change, values={**change.values, "hash": hashed(token)}), f"{change}; its value, shown only now: {token}"
