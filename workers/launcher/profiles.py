"""Profiles and what their senders said about them, as they are now; read-only."""

from collections.abc import Sequence
from typing import Any

import asyncpg
import msgspec

from workers.launcher.terms import Profile


async def load(pool: asyncpg.Pool, ids: Sequence[bytes]) -> dict[bytes, Profile]:
    """The profiles that exist, by id."""
    rows = await pool.fetch("SELECT id, data::text, subscriptions::text FROM profiles WHERE id = ANY($1::bytea[])", ids)
    return {row["id"]: _profile(row) for row in rows}


async def load_custom_data(pool: asyncpg.Pool, batch: bytes, chunk: int, items: Sequence[int]) -> dict[int, dict[str, Any]]:
    """What these items brought themselves, by item number."""
    rows = await pool.fetch(
        """
        SELECT own.key::int AS item, own.value::text AS given
        FROM results, jsonb_each(results.custom_data) AS own
        WHERE results.batch = $1 AND results.chunk = $2 AND own.key = ANY($3::text[])
        """,
        batch,
        chunk,
        [str(item) for item in items],
    )
    return {row["item"]: msgspec.json.decode(row["given"]) for row in rows}


def _profile(row: asyncpg.Record) -> Profile:
    return Profile(row["id"], msgspec.json.decode(row["data"]), tuple(msgspec.json.decode(row["subscriptions"])))
