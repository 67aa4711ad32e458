"""What matched messages say about their items' imports."""

from collections.abc import AsyncIterator, Iterable, Iterator, Mapping, Sequence
from typing import Any

import asyncpg
import msgspec
from msgspec import UNSET, UnsetType

from schemas import ids
from schemas.batches import BatchKind
from schemas.events import ProfileEvent
from schemas.messages import MD5_DIGITS, NO_MD5, ProfilesMatched
from workers.launcher import events
from workers.launcher.deliver import profiles

_BATCHES = """
SELECT batches.id, batches.account, batches.accepted_at, databases.number, batches.custom_data::text, batches.kind
FROM batches JOIN databases ON databases.id = batches.database
WHERE batches.id = ANY($1::bytea[])
"""
_CUSTOM_DATA = "SELECT custom_data::text FROM results WHERE batch = $1 AND chunk = $2 AND custom_data::text <> '{}'"
_HAVE_THEIR_OWN = """
SELECT results.batch, results.chunk
FROM unnest($1::bytea[], $2::int[]) AS wanted (batch, chunk)
JOIN results ON results.batch = wanted.batch AND results.chunk = wanted.chunk
WHERE results.custom_data::text <> '{}'
"""


# Of batches without a campaign of their own no launch will say that they are over. In everybody's order.
_MARK_TOLD = """
WITH these AS (
    SELECT results.batch, results.chunk
    FROM unnest($1::bytea[], $2::int[]) AS named (batch, chunk)
    JOIN batches ON batches.id = named.batch AND batches.trigger IS NULL
    JOIN results ON results.batch = named.batch AND results.chunk = named.chunk AND NOT results.told
    ORDER BY results.batch, results.chunk FOR NO KEY UPDATE OF results
)
UPDATE results SET told = true FROM these WHERE results.batch = these.batch AND results.chunk = these.chunk
"""


async def batches_of(pool: asyncpg.Pool, messages: Sequence[ProfilesMatched]) -> Mapping[str, asyncpg.Record]:
    """The batches that are still there, by the id that messages carry."""
    rows = await pool.fetch(_BATCHES, [bytes.fromhex(message.batch) for message in messages])
    return {row["id"].hex(): row for row in rows}


async def mark_told(connection: asyncpg.Connection, named: Iterable[tuple[bytes, int]]) -> None:
    """Batches and chunks whose messages are done with, however often."""
    await connection.execute(_MARK_TOLD, *map(list, zip(*named, strict=True)))


async def events_of(
    pool: asyncpg.Pool, messages: Sequence[ProfilesMatched], batches: Mapping[str, asyncpg.Record]
) -> AsyncIterator[ProfileEvent]:
    """One `import_api` for each item that was imported, one after the other, as each may be large.

    A batch that was deleted says nothing: its events were published before it was finished.
    """
    messages = [each for each in messages if (row := batches.get(each.batch)) and BatchKind(row["kind"]).creates]
    named = [batches[message.batch]["id"] for message in messages]
    # A matcher of before does not say them.
    unsaid = [id_ for message in messages if message.md5s is None for id_ in ids.unpack(bytes.fromhex(message.profiles))]
    emails = await profiles.emails(pool, unsaid) if unsaid else {}
    talkative = {(row["batch"], row["chunk"]) for row in await pool.fetch(_HAVE_THEIR_OWN, named, [message.chunk for message in messages])}
    for id_, message in zip(named, messages, strict=True):
        own = await _custom_data(pool, id_, message.chunk) if (id_, message.chunk) in talkative else {}
        for event in _events(batches[message.batch], message, own, emails):
            yield event


def _events(
    batch: asyncpg.Record, message: ProfilesMatched, own: Mapping[str, Mapping[str, Any]], emails: Mapping[bytes, str | None]
) -> Iterator[ProfileEvent]:
    shared = msgspec.json.decode(batch["custom_data"])
    event = events.imports(batch["account"], batch["number"], batch["id"], batch["accepted_at"])
    for item, profile, md5 in zip(message.items, _cut(message.profiles, 2 * ids.SIZE), _md5s(message, emails), strict=True):
        given = own.get(str(item)) if own else None
        yield event(item, profile, md5, {**shared, **given} if given else shared)


def _md5s(message: ProfilesMatched, emails: Mapping[bytes, str | None]) -> Iterator[str | UnsetType]:
    if message.md5s is None:
        return (events.md5(emails.get(profile)) for profile in ids.unpack(bytes.fromhex(message.profiles)))
    return (UNSET if md5 == NO_MD5 else md5 for md5 in _cut(message.md5s, MD5_DIGITS))


def _cut(text: str, length: int) -> Iterator[str]:
    return (text[at : at + length] for at in range(0, len(text), length))


async def _custom_data(pool: asyncpg.Pool, batch: bytes, chunk: int) -> dict[str, dict[str, Any]]:
    given: dict[str, dict[str, Any]] = msgspec.json.decode(await pool.fetchval(_CUSTOM_DATA, batch, chunk) or "{}")
    return given
