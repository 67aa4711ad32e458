"""SQL of what an account may take launches back by."""

import asyncpg

from ingest.sql.accounts import NUMBERS
from schemas.ids import TriggerId, TriggerNumber


async def batch(connection: asyncpg.Connection, account: int, id_: bytes) -> bool:
    return bool(await connection.fetchval("SELECT EXISTS (SELECT FROM batches WHERE id = $2 AND account = $1)", account, id_))


async def profile(connection: asyncpg.Connection, account: int, id_: bytes) -> bool:
    its = "SELECT FROM profiles JOIN databases ON databases.id = profiles.database WHERE profiles.id = $2 AND account = $1"
    return bool(await connection.fetchval(f"SELECT EXISTS ({its})", account, id_))


async def trigger(connection: asyncpg.Connection, account: int, number: TriggerNumber) -> TriggerId | None:
    if number not in NUMBERS:
        return None
    found: TriggerId | None = await connection.fetchval("SELECT id FROM triggers WHERE account = $1 AND number = $2", account, number)
    return found
