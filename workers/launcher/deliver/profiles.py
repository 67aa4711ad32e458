"""Profiles and what their senders said about them, as they are now; read-only."""

from collections.abc import Callable, Mapping, Sequence
from typing import Any, NamedTuple

import asyncpg
import msgspec

from runtime.arrays import array
from workers.launcher.model import Campaign, Profile

# In order, and no more than so many bytes after the first: each may have a megabyte. One that is gone has no data.
# By the count over the sum, Postgres stops at the first for which there is no room: a sum alone would take all of them from disk each time.
_LOAD = """
SELECT page, id, data::text AS data, subscriptions::text AS subscriptions, data->>'email' AS email,
    EXISTS (SELECT FROM cancels WHERE profile = found.id AND account = found.account AND asked_at > accepted_at) AS taken_back
FROM (
    SELECT measured.*, count(*) FILTER (WHERE bytes > $5 AND at > 1) OVER (ORDER BY at ROWS UNBOUNDED PRECEDING) AS left_out
    FROM (
        SELECT wanted.*, profiles.data, profiles.subscriptions,
            sum(octet_length(data::text) + octet_length(subscriptions::text)) OVER (ORDER BY at ROWS UNBOUNDED PRECEDING) AS bytes
        FROM unnest($1::int[], $2::bytea[], $3::int[], $4::timestamptz[]) WITH ORDINALITY AS wanted (page, id, account, accepted_at, at)
        LEFT JOIN profiles ON profiles.id = wanted.id
    ) AS measured
) AS found
WHERE left_out < 1 ORDER BY at
"""
BYTES = 4 * 1024 * 1024

_CUSTOM_DATA = """
SELECT wanted.at, own.key::int AS item, own.value::text AS given
FROM unnest($1::int[], $2::bytea[], $3::int[], $4::text[]) AS wanted (at, batch, chunk, items)
JOIN results ON results.batch = wanted.batch AND results.chunk = wanted.chunk AND results.custom_data::text <> '{}',
    json_each(results.custom_data) AS own
WHERE own.key = ANY(wanted.items::text[])
"""


_TAKEN_BACK = """
SELECT DISTINCT wanted.page, cancels.profile
FROM unnest($1::int[], $2::bytea[], $3::int[], $4::timestamptz[]) AS wanted (page, id, account, accepted_at)
JOIN cancels ON cancels.profile = wanted.id AND cancels.account = wanted.account AND asked_at > wanted.accepted_at
"""


class Stored(NamedTuple):
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


class Wanted(NamedTuple):
    """Profiles for one page of a campaign."""

    ids: Sequence[bytes]
    campaign: Campaign


class Items(NamedTuple):
    """Items whose senders may have said something about them."""

    batch: bytes
    chunk: int
    items: Sequence[int]


async def load(connection: asyncpg.Connection, pages: Sequence[Wanted]) -> list[list[Stored]]:
    """The first of them in their order, at least one of the first page; `data` is None for one that is gone."""
    found: list[list[Stored]] = [[] for _ in pages]
    for row in await connection.fetch(_LOAD, *_asked(pages), BYTES):
        found[row["page"]].append(Stored(row["id"], row["data"], row["subscriptions"], row["email"], row["taken_back"]))
    return found


async def taken_back(connection: asyncpg.Connection, pages: Sequence[Wanted]) -> list[frozenset[bytes]]:
    """Of each page those whose launches were taken back after the batch was accepted."""
    found: list[set[bytes]] = [set() for _ in pages]
    for row in await connection.fetch(_TAKEN_BACK, *_asked(pages)):
        found[row["page"]].add(row["profile"])
    return list(map(frozenset, found))


def _asked(pages: Sequence[Wanted]) -> list[list[object]]:
    asked = [(at, id_, page.campaign.account, page.campaign.accepted_at) for at, page in enumerate(pages) for id_ in page.ids]
    return [list(column) for column in zip(*asked, strict=True)]


async def load_custom_data(connection: asyncpg.Connection, asked: Sequence[Items]) -> list[dict[int, str]]:
    """What the items brought themselves, by item number; as JSON, which is a tenth of what it is read."""
    rows = [(at, each.batch, each.chunk, array(each.items)) for at, each in enumerate(asked)]
    found: list[dict[int, str]] = [{} for _ in asked]
    for row in await connection.fetch(_CUSTOM_DATA, *map(list, zip(*rows, strict=True))):
        found[row["at"]][row["item"]] = row["given"]
    return found


def merged(shared: Mapping[str, Any], own: str | None) -> Mapping[str, Any]:
    """An item's own over its batch's."""
    return shared if own is None else {**shared, **msgspec.json.decode(own)}


async def emails(pool: asyncpg.Pool, ids: Sequence[bytes]) -> dict[bytes, str | None]:
    return dict(await pool.fetch("SELECT id, data->>'email' FROM profiles WHERE id = ANY($1::bytea[])", ids))
