"""What matched messages say about their items' imports."""

from collections.abc import Sequence
from datetime import datetime

import asyncpg
import msgspec

from schemas import ids
from schemas.messages import ProfileEvent, ProfilesMatched
from workers.launcher import events
from workers.launcher.events import Imported


async def events_of(pool: asyncpg.Pool, messages: Sequence[ProfilesMatched], now: datetime) -> list[ProfileEvent]:
    """One `import_api` for each item. A batch that was deleted says nothing: its events were published before it was finished."""
    batches = {row["id"]: row for row in await pool.fetch(_BATCHES, [bytes.fromhex(message.batch) for message in messages])}
    living = [message for message in messages if bytes.fromhex(message.batch) in batches]
    emails = dict(await pool.fetch(_EMAILS, [id_ for message in living for id_ in ids.unpack(bytes.fromhex(message.profiles))]))
    own = await _custom_data(pool, living)
    told: list[ProfileEvent] = []
    for message in living:
        batch = batches[bytes.fromhex(message.batch)]
        shared = msgspec.json.decode(batch["custom_data"])
        for item, profile in zip(message.items, ids.unpack(bytes.fromhex(message.profiles)), strict=True):
            custom_data = {**shared, **own.get((batch["id"], message.chunk), {}).get(str(item), {})}
            imported = Imported(batch["account"], batch["number"], batch["id"], item, profile, emails.get(profile), custom_data)
            told.append(events.of_import(imported, now))
    return told


_BATCHES = """
SELECT batches.id, batches.account, databases.number, batches.custom_data::text
FROM batches JOIN databases ON databases.id = batches.database
WHERE batches.id = ANY($1::bytea[])
"""
_EMAILS = "SELECT id, data->>'email' FROM profiles WHERE id = ANY($1::bytea[])"
_CUSTOM_DATA = """
SELECT results.batch, results.chunk, results.custom_data::text
FROM unnest($1::bytea[], $2::int[]) AS wanted (batch, chunk)
JOIN results ON results.batch = wanted.batch AND results.chunk = wanted.chunk
WHERE results.custom_data <> '{}'
"""


async def _custom_data(pool: asyncpg.Pool, messages: Sequence[ProfilesMatched]) -> dict[tuple[bytes, int], dict[str, dict[str, object]]]:
    batches, chunks = [bytes.fromhex(message.batch) for message in messages], [message.chunk for message in messages]
    rows = await pool.fetch(_CUSTOM_DATA, batches, chunks)
    return {(row["batch"], row["chunk"]): msgspec.json.decode(row["custom_data"]) for row in rows}
