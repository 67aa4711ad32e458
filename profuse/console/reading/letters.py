"""SQL of dead letters by their reasons; single ones are `profuse.dead_letters`' matter."""

from dataclasses import dataclass
from datetime import datetime

import asyncpg

from profuse.console.reading.counted import MOST

_GROUPS = """
SELECT topic, reason, count(*)::int AS letters, count(*) FILTER (WHERE replayed_at IS NULL)::int AS dead,
    min(created_at) AS oldest, max(created_at) AS newest
FROM (SELECT topic, reason, replayed_at, created_at FROM dead_letters ORDER BY created_at DESC LIMIT $1) AS newest
GROUP BY topic, reason ORDER BY dead DESC, newest DESC
"""
SHOWN = 200


@dataclass(frozen=True)
class Group:
    """Dead letters of one reason, among the newest ones."""

    topic: str
    reason: str
    letters: int
    # Those that were not replayed.
    dead: int
    oldest: datetime
    newest: datetime


@dataclass(frozen=True)
class Groups:
    shown: list[Group]
    letters: int
    # Whether there are reasons, or letters, that were not looked at.
    is_all: bool


async def groups(connection: asyncpg.Connection) -> Groups:
    """The most frequent first."""
    found = [Group(**row) for row in await connection.fetch(_GROUPS, MOST + 1)]
    letters = sum(group.letters for group in found)
    return Groups(found[:SHOWN], min(letters, MOST), letters <= MOST and len(found) <= SHOWN)
