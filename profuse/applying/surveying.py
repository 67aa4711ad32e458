"""Looks at stored profiles for what a changed declaration means to them."""

from collections import defaultdict
from collections.abc import AsyncIterator, Callable, Collection, Iterator

import asyncpg
import msgspec

from profuse.applying.meaning import Question, Tally, told
from profuse.postgres import patient_connections
from schemas.settings import Settings

# Counted to the end up to here; of more, an operator learns the order of magnitude, and does not wait for minutes.
MOST = 1_000_000
PAGE = 500

# Only what is asked for leaves the server: a profile may be large.
_HELD = """
    SELECT id, CASE WHEN data ?| $3 THEN (SELECT jsonb_object_agg(key, value) FROM jsonb_each(data) WHERE key = ANY($3))::text END AS held
    FROM profiles WHERE database = $1 AND id > $2 ORDER BY id LIMIT $4
"""


async def survey(settings: Settings, asked: Collection[Question], progress: Callable[[str], None]) -> list[str]:
    """What the profiles that are there mean for the questions, in lines; nobody waits for this, and it waits for nobody."""
    lines: list[str] = []
    async with patient_connections(settings) as pool:
        for database in sorted({question.database for question in asked}):
            lines += await _survey(pool, sorted((q for q in asked if q.database == database), key=lambda q: q.name), progress)
    return lines


async def _survey(pool: asyncpg.Pool, asked: list[Question], progress: Callable[[str], None]) -> list[str]:
    """Of one database."""
    tallies: dict[str, Tally] = defaultdict(Tally)
    fields = {question.name: question.field() for question in asked}
    seen = 0
    async for rows in _pages(pool, asked[0].database, list(fields)):
        seen += len(rows)
        for row in rows:
            held = msgspec.json.decode(row["held"]) if row["held"] else {}
            for question in asked:
                if question.name in held:
                    tallies[question.name].count(question, fields[question.name], held[question.name])
        progress(f"{asked[0].key}: {seen:,} profiles are looked at")
        if seen >= MOST:
            break
    return list(_told(asked, tallies, seen))


def _told(asked: list[Question], tallies: dict[str, Tally], seen: int) -> Iterator[str]:
    for question in asked:
        yield from told(question, tallies[question.name], at_least=seen >= MOST)
    if seen >= MOST:
        yield f"{asked[0].key}: only its first {seen:,} profiles were looked at"


async def _pages(pool: asyncpg.Pool, database: int, names: list[str]) -> AsyncIterator[list[asyncpg.Record]]:
    last = b""
    while rows := await pool.fetch(_HELD, database, last, names, PAGE):
        yield rows
        last = rows[-1]["id"]
