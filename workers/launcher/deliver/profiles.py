"""Profiles and what their senders said about them, as they are now; read-only."""

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Any

import asyncpg
import msgspec

from workers.launcher.model import Campaign, Profile

# In order, and no more than so many bytes after the first: each may have a megabyte. One that is gone has no data.
_LOAD = """
SELECT id, data, subscriptions, email, taken_back FROM (
    SELECT wanted.id, wanted.at, profiles.data::text AS data, profiles.subscriptions::text AS subscriptions, data->>'email' AS email,
        EXISTS (SELECT FROM cancels WHERE profile = wanted.id AND account = $3 AND asked_at > $4) AS taken_back,
        sum(octet_length(profiles.data::text) + octet_length(profiles.subscriptions::text)) OVER (ORDER BY wanted.at) AS bytes
    FROM unnest($1::bytea[]) WITH ORDINALITY AS wanted (id, at) LEFT JOIN profiles ON profiles.id = wanted.id
) AS found
WHERE bytes IS NULL OR bytes <= $2 OR at = 1 ORDER BY at
"""
BYTES = 4 * 1024 * 1024


@dataclass(frozen=True)
class Stored:
    """A profile as it is stored, not read yet: what is odd about one is no trouble of its neighbours."""

    id: bytes
    data: str | None
    subscriptions: str | None
    email: str | None
    # By a cancel of the profile's launches.
    taken_back: bool

    def reader(self) -> Callable[[], Profile] | None:
        return None if self.data is None else self._read

    def _read(self) -> Profile:
        return Profile(self.id, msgspec.json.decode(self.data or "{}"), tuple(msgspec.json.decode(self.subscriptions or "[]")))


async def load(pool: asyncpg.Pool, ids: Sequence[bytes], campaign: Campaign) -> list[Stored]:
    """The first of these, at least one, in their order; `data` is None for one that is gone."""
    return [Stored(**row) for row in await pool.fetch(_LOAD, ids, BYTES, campaign.account, campaign.accepted_at)]


async def emails(pool: asyncpg.Pool, ids: Sequence[bytes]) -> dict[bytes, str | None]:
    return dict(await pool.fetch("SELECT id, data->>'email' FROM profiles WHERE id = ANY($1::bytea[])", ids))


async def load_custom_data(pool: asyncpg.Pool, batch: bytes, chunk: int, items: Sequence[int]) -> dict[int, dict[str, Any]]:
    """What these items brought themselves, by item number."""
    rows = await pool.fetch(
        """
        SELECT own.key::int AS item, own.value::text AS given
        FROM results, json_each(results.custom_data) AS own
        WHERE results.batch = $1 AND results.chunk = $2 AND results.custom_data::text <> '{}' AND own.key = ANY($3::text[])
        """,
        batch,
        chunk,
        [str(item) for item in items],
    )
    return {row["item"]: msgspec.json.decode(row["given"]) for row in rows}
