"""What Postgres holds of an account, and held before retention deleted it."""

from collections import Counter
from collections.abc import AsyncIterator, Sequence
from contextlib import asynccontextmanager

import asyncpg
import msgspec

from profuse.torture.account import ACCOUNT
from profuse.torture.aside import SCHEMA, schema_of
from profuse.torture.verdict.seen import Batch, Profile
from schemas import ids
from schemas.ids import TriggerId
from schemas.settings import Settings


@asynccontextmanager
async def open_tables(settings: Settings) -> AsyncIterator[asyncpg.Connection]:
    """A connection on which `all_batches`, `all_results` and so on are what there is and what there was."""
    connection = await asyncpg.connect(settings.postgres, server_settings={"search_path": settings.prefix})
    try:
        for table in SCHEMA:
            whole = f"SELECT * FROM {table} UNION ALL SELECT * FROM {schema_of(settings.prefix)}.{table}"  # noqa: S608  # names of ours
            await connection.execute(f"CREATE TEMPORARY VIEW all_{table} AS {whole}")
        yield connection
    finally:
        await connection.close()


async def batches(connection: asyncpg.Connection) -> tuple[dict[str, Batch], int]:
    """Those of the account by their Request-IDs, and how many have none."""
    rows = await connection.fetch(_BATCHES, ACCOUNT)
    found = {row["id"]: Batch(row["id"]) for row in rows}
    for row in await connection.fetch(_RESULTS, ACCOUNT):
        errors = {int(item): entry for item, entry in msgspec.json.decode(row["errors"]).items()}
        batch = found[row["batch"]]
        ended = list(zip(row["items"], ids.unpack(row["profiles"]), strict=True))
        batch.results += [(item, profile) for item, profile in ended if item not in errors]
        batch.errors += [(item, errors[item]) for item, _ in ended if item in errors]
    for row in rows:
        found[row["id"]].errors += [(int(item), entry) for item, entry in msgspec.json.decode(row["rejects"]).items()]
    for row in await connection.fetch(_LAUNCHES, ACCOUNT):
        batch = found[row["batch"]]
        batch.unfinished += row["unfinished"]
        # What is tried again was started before.
        if row["attempt"] == 0:
            batch.launches.setdefault(row["trigger"], Counter()).update(row["items"])
            batch.due[row["trigger"]] = row["due"]
    named = {row["request_id"]: found[row["id"]] for row in rows if row["request_id"] is not None}
    return named, len(found) - len(named)


async def profiles(connection: asyncpg.Connection) -> dict[bytes, Profile]:
    return {
        row["id"]: Profile(msgspec.json.decode(row["data"]), frozenset(row["addresses"]))
        for row in await connection.fetch(_PROFILES, ACCOUNT)
    }


async def dead_letters(connection: asyncpg.Connection) -> list[str]:
    """The reasons of those that nobody replayed; who has no batch is anybody's."""
    return [row["reason"] for row in await connection.fetch(_LETTERS, ACCOUNT)]


async def campaigns(connection: asyncpg.Connection) -> dict[int, TriggerId]:
    """Their internal ids by their numbers."""
    return dict(await connection.fetch("SELECT number, id FROM triggers WHERE account = $1", ACCOUNT))


async def due(connection: asyncpg.Connection, account: int) -> dict[str, float]:
    """When each launch of an account is due, in Unix seconds, by the launch's id."""
    rows = await connection.fetch(_LAUNCHES, account)
    return {ids.launch_id(row["batch"], item, row["trigger"]): row["due"] for row in rows if row["attempt"] == 0 for item in row["items"]}


async def unanswered(connection: asyncpg.Connection, tasks: Sequence[str]) -> list[str]:
    """Those of these batches that are gone, or have items without a result."""
    whole = await connection.fetch(_WHOLE, [bytes.fromhex(task) for task in tasks])
    return sorted(set(tasks) - {row["id"].hex() for row in whole})


async def deleted(connection: asyncpg.Connection, settings: Settings) -> int:
    """How many batches retention deleted."""
    return int(await connection.fetchval(f"SELECT count(*) FROM {schema_of(settings.prefix)}.batches"))  # noqa: S608  # a setting


_OURS = "SELECT id FROM all_batches WHERE account = $1"
_BATCHES = """
    SELECT b.id, b.rejects::text AS rejects, r.request_id FROM all_batches b LEFT JOIN all_requests r ON r.batch = b.id WHERE b.account = $1
"""
_RESULTS = f"SELECT batch, items, profiles, errors::text AS errors FROM all_results WHERE batch IN ({_OURS})"  # noqa: S608  # a constant
_LAUNCHES = f"""
    SELECT batch, trigger, attempt, items, extract(epoch FROM due_at)::float8 AS due,
        finished_at IS NULL OR bit_count(done) <> cardinality(items) AS unfinished
    FROM all_launches WHERE batch IN ({_OURS})
"""  # noqa: S608  # a constant
_WHOLE = """
    SELECT b.id FROM all_batches b WHERE b.id = ANY($1) AND b.total = (SELECT count(*) FROM jsonb_object_keys(b.rejects))
        + (SELECT coalesce(sum(cardinality(r.items)), 0) FROM all_results r WHERE r.batch = b.id)
"""
_PROFILES = """
    SELECT p.id, p.data::text AS data,
        ARRAY(SELECT s->>'email' FROM jsonb_array_elements(p.subscriptions) AS s WHERE s->>'email' IS NOT NULL) AS addresses
    FROM profiles p JOIN databases d ON d.id = p.database WHERE d.account = $1
"""
_LETTERS = """
    SELECT l.reason FROM dead_letters l LEFT JOIN all_batches b ON b.id = l.batch
    WHERE l.replayed_at IS NULL AND (b.account = $1 OR l.batch IS NULL)
"""
